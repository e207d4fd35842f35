"""Redaction is as good on the corpus as the docs say."""

from __future__ import annotations

import json

import pytest

from .measure import CORPUS, measure

NAMES_LEAST = 0.995
TEXTS_LEAST = 0.98
FALSE_ALARMS_MOST = 0.005
SCORES = measure()


@pytest.mark.parametrize("group", SCORES)
def test_a_group_of_the_corpus_is_judged_as_the_docs_promise(group: str) -> None:
    score = SCORES[group]
    least = NAMES_LEAST if group.endswith("names") else TEXTS_LEAST
    assert least <= score.recall, score.misses
    assert score.false_alarms <= FALSE_ALARMS_MOST, score.misses


def test_the_corpus_is_large_and_balanced() -> None:
    content = {
        path.stem: json.loads(path.read_text("utf-8")) for path in CORPUS.glob("*.json")
    }
    names = content["names"]["names"]
    assert len(names) >= 600
    assert 300 <= sum(row["secret"] for row in names) <= len(names) - 300
    assert len(content["texts"]["texts"]) + len(content["ordinary"]["texts"]) >= 400


@pytest.mark.parametrize("stem", ["texts", "ordinary"])
def test_redacting_a_text_again_changes_nothing(stem: str) -> None:
    from kedro_journal.redaction import Redactor

    redactor = Redactor()
    for row in json.loads((CORPUS / f"{stem}.json").read_text("utf-8"))["texts"]:
        once = redactor.text(row["text"])
        assert once == Redactor().text(once)
