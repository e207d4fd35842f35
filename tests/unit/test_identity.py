"""Group, parent and labels: by argument strictly, by environment forgivingly."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from kedro_journal.capture import identity
from kedro_journal.capture.identity import (
    NO_IDENTITY,
    Identity,
    checked_identity,
    identity_in_force,
)
from kedro_journal.redaction import Redactor

AIRFLOW = "scheduled__2026-11-22T00:00:00.123456+00:00"


@pytest.fixture(autouse=True)
def nothing_said() -> Iterator[None]:
    identity._said.clear()
    yield
    identity._said.clear()


def of_environment(given: Identity = NO_IDENTITY, **variables: str) -> Identity:
    environ = {f"KEDRO_JOURNAL_{name}": value for name, value in variables.items()}
    return identity_in_force(given, Redactor().text, environ)


def test_the_environment_gives_group_parent_and_labels() -> None:
    found = of_environment(
        GROUP_ID=f" {AIRFLOW} ",
        PARENT_SESSION_ID="2026-11-22T05.11.30.123Z",
        LABELS="task=train, team = demand ,empty=,url=http://x/?a=b,",
    )

    assert found == Identity(
        AIRFLOW,
        "2026-11-22T05.11.30.123Z",
        {"task": "train", "team": "demand", "empty": "", "url": "http://x/?a=b"},
    )


def test_without_variables_there_is_no_identity() -> None:
    empty = of_environment(GROUP_ID="", PARENT_SESSION_ID=" ", LABELS=" , ")

    assert NO_IDENTITY == of_environment() == empty


def test_arguments_win_over_the_environment_label_by_label() -> None:
    given = checked_identity("mine", "p1", {"team": "ours", "n": 3})

    found = of_environment(
        given, GROUP_ID="theirs", PARENT_SESSION_ID="p2", LABELS="team=x,task=a"
    )

    labels = {"team": "ours", "task": "a", "n": "3"}
    assert found == Identity("mine", "p1", labels)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GROUP_ID", "a b", "blanks"),
        ("GROUP_ID", "a\x1b[2Jb", "printed"),
        ("GROUP_ID", "a\u202eb", "printed"),
        ("GROUP_ID", "x" * 257, "256"),
        ("PARENT_SESSION_ID", "../../etc", "not a valid session ID"),
        ("PARENT_SESSION_ID", "-x", "not a valid session ID"),
        ("LABELS", "alone", "has no value"),
        ("LABELS", "=x", "has no name"),
        ("LABELS", "a=\x07", "printed"),
        ("LABELS", "a" * 129 + "=x", "128"),
        ("LABELS", "a=" + "x" * 1025, "1024"),
    ],
)
def test_a_mistake_in_the_environment_is_said_once_and_left_out(
    name: str, value: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = {"GROUP_ID": "g", "PARENT_SESSION_ID": "p", "LABELS": "a=b"}
    with caplog.at_level(logging.WARNING):
        found = [of_environment(**{**good, name: value}) for _ in range(3)]

    expected = Identity("g", "p", {"a": "b"})
    field = {"GROUP_ID": "group_id", "LABELS": "labels"}.get(name, "parent_session_id")
    nothing = {} if field == "labels" else None
    assert found == [expected._replace(**{field: nothing})] * 3
    (message,) = caplog.messages
    assert f"KEDRO_JOURNAL_{name}" in message
    assert words in message
    assert len(message) < 400


def test_one_wrong_label_leaves_the_others(caplog: pytest.LogCaptureFixture) -> None:
    found = of_environment(LABELS="a=1,nonsense,b=2")

    assert found.labels == {"a": "1", "b": "2"}
    assert "'nonsense' has no value" in caplog.text


def test_labels_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    found = of_environment(LABELS=",".join(f"l{n}={n}" for n in range(100)))

    assert len(found.labels) == 64
    assert "there may be 64" in caplog.text


@pytest.mark.parametrize(
    "value",
    ["https://ada:hunter2hunter2@host/run", "token=hunter2hunter2", "ghp_" + "a" * 36],
)
def test_a_group_that_looks_like_a_secret_is_left_out(
    value: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert of_environment(GROUP_ID=value).group_id is None
    assert of_environment(checked_identity(value, None, None)).group_id is None
    assert "looks like a secret" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_group_that_is_a_known_secret_is_left_out() -> None:
    redactor = Redactor()
    redactor.register("tiger-lily-9")
    environ = {"KEDRO_JOURNAL_GROUP_ID": "run-tiger-lily-9"}

    assert identity_in_force(NO_IDENTITY, redactor.text, environ).group_id is None


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("", None, None), ValueError, "group_id '' is empty"),
        (("a b", None, None), ValueError, "group_id 'a b' holds blanks"),
        ((7, None, None), TypeError, "group_id must be a text, not int"),
        (
            (None, "a/b", None),
            ValueError,
            "parent_session_id: 'a/b' is not a valid session ID",
        ),
        ((None, 7, None), TypeError, "parent_session_id must be a text"),
        ((None, None, {"": "x"}), ValueError, "label '' has no name"),
        ((None, None, {"a": "\0"}), ValueError, "label 'a' holds characters"),
        ((None, None, ["a"]), TypeError, "labels must be a mapping, not list"),
        ((None, None, {str(n): n for n in range(65)}), ValueError, "65 labels"),
    ],
)
def test_a_mistake_in_an_argument_raises_and_says_which(
    arguments: tuple[object, object, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        checked_identity(*arguments)
