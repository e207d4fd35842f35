"""The quick way to encode an event gives what the whole way gives."""

from __future__ import annotations

from unittest import mock

import pytest
from events_strategy import events
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kedro_journal.events import (
    DatasetLoaded,
    DatasetSaved,
    Event,
    PlannedNode,
    RunStarted,
)
from kedro_journal.recording.encoding import encode
from kedro_journal.redaction import REDACTED, Redactor
from kedro_journal.redaction.plain import Walk
from kedro_journal.redaction.redactor import Redactor as _Redactor

SECRET = "hunter2-the-second"
TEXTS = st.one_of(
    st.text(),
    st.text(alphabet=st.characters(), min_size=290, max_size=310),
    st.sampled_from(
        [
            *("/data/01_raw/companies.csv", "/home/x/key.txt", "s3://u:pw@host/x"),
            *(f"/data/{SECRET}/x", f"/DATA/{SECRET.upper()}/x", "/x/our_word=1/y"),
            *("AKIAABCDEFGHIJKLMNOP", "\ud800", "https://host/?sig=abcdef", ""),
            *("/a/Bearer abcdefgh123", "x" * 20_000),
        ]
    ),
)


def whole(event: Event, redactor: Redactor) -> bytes:
    with (
        mock.patch.object(_Redactor, "keeps", return_value=False),
        mock.patch.object(Walk, "_stays", return_value=False),
    ):
        return encode(event, redactor)


@given(
    path=TEXTS, version=st.none() | TEXTS, names=st.sampled_from([(), ("our_word",)])
)
@example(path="/data/İ.csv", version=None, names=())
def test_texts_that_stay_are_encoded_as_if_they_had_been_looked_into(
    path: str, version: str | None, names: tuple[str, ...]
) -> None:
    redactor = Redactor(names)
    redactor.register(SECRET)
    event = DatasetSaved(run_id="r", node="n", dataset="d", path=path, version=version)
    assert encode(event, redactor) == whole(event, redactor)


@given(events)
def test_any_event_is_encoded_alike(event: Event) -> None:
    redactor = Redactor()
    assert encode(event, redactor) == whole(event, redactor)


@settings(deadline=None)  # the first text compiles patterns
@given(
    nodes=st.lists(
        st.builds(
            PlannedNode,
            name=TEXTS,
            inputs=st.lists(TEXTS, max_size=2).map(tuple),
            tags=st.lists(TEXTS, max_size=2).map(tuple),
            function=TEXTS,
            source=TEXTS,
        ),
        max_size=3,
    ),
    names=st.sampled_from([(), ("source",), ("our_word",)]),
)
def test_a_plan_is_encoded_as_if_it_had_been_looked_into(
    nodes: list[PlannedNode], names: tuple[str, ...]
) -> None:
    redactor = Redactor(names)
    redactor.register(SECRET)
    event = RunStarted(run_id="r", nodes=tuple(nodes))
    assert encode(event, redactor) == whole(event, redactor)


def test_a_text_is_looked_at_with_what_is_known_by_then() -> None:
    redactor, event = (
        Redactor(),
        DatasetLoaded(run_id="r", node="n", dataset="d", version=SECRET),
    )
    assert SECRET.encode() in encode(event, redactor)
    redactor.register(SECRET)
    assert SECRET.encode() not in encode(event, redactor)
    assert REDACTED.encode() in encode(event, redactor)


def test_a_text_that_stays_is_not_looked_into() -> None:
    """It is what makes saving to files cheap."""
    event = DatasetSaved(run_id="r", node="n", dataset="d", path="/data/raw.csv")
    with mock.patch.object(_Redactor, "fields", side_effect=AssertionError):
        assert b'"path":"/data/raw.csv"' in encode(event, Redactor())
        secret = "https://host/x?token=hunter22hunter22"
        signed = DatasetSaved(run_id="r", node="n", dataset="d", path=secret)
        with pytest.raises(AssertionError):
            encode(signed, Redactor())
