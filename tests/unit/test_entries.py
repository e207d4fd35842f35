"""The places that a catalog's configuration has for datasets, patterns included."""

from __future__ import annotations

import logging

import pytest

from kedro_journal.capture.entries import places_of
from kedro_journal.events import CatalogEntry


def entry(name: str, path: str | None) -> CatalogEntry:
    return CatalogEntry(name=name, type="pandas.CSVDataset", path=path)


def test_entries_and_patterns_give_places_from_the_root_of_the_project(
    caplog: pytest.LogCaptureFixture,
) -> None:
    entries = [
        entry("plain", "data/plain.csv"),
        entry("inside", "/project/data/inside.csv"),
        entry("outside", "/mnt/outside.csv"),
        entry("remote", "s3://bucket/remote.csv"),
        entry("table", None),
        entry("{space}.raw_{name}", "data/{space}/{name}.csv"),
    ]
    names = ["plain", "inside", "outside", "remote", "table", "a.raw_b", "memory"]
    with caplog.at_level(logging.WARNING):
        found = places_of(entries, names, "/project")
    assert found == {
        "plain": "data/plain.csv",
        "inside": "data/inside.csv",
        "outside": "/mnt/outside.csv",
        "remote": "s3://bucket/remote.csv",
        "a.raw_b": "data/a/b.csv",
    }
    caplog.clear()
    everything = [entry("{whatever}", "data/{whatever}.csv")]
    assert places_of(everything, ["x"], "/project") == {"x": "data/x.csv"}
    assert caplog.records == []


def test_a_pattern_that_is_none_any_more_leaves_the_plain_entries() -> None:
    entries = [entry("plain", "data/plain.csv"), entry("{a}_{b", "data/{c}.csv")]
    assert places_of(entries, ["plain", "other"], "/project") == {
        "plain": "data/plain.csv"
    }
