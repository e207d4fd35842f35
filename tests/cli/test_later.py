"""note and tag: said of a closed session, without a touch of its journal."""

from __future__ import annotations

import json
import threading

import pytest
from click.testing import CliRunner

from kedro_journal.cli import journal
from kedro_journal.journal import JournalDirectory, verify
from kedro_journal.replaying.later import later_entries

from .test_prune import OLD, OTHER

TOKEN = "ghp_" + "a1B2" * 9


@pytest.fixture
def where(journals):
    journals.completed(OLD)
    journals.completed(OTHER)
    journals.let_go()
    return ("--directory", journals.path)


def test_notes_and_tags_are_shown_everywhere(call, journals, where):
    before = (journals.path / OLD / "journal.jsonl").read_bytes()

    for words in (
        ("note", OLD, "good\x1b[2J enough\nfor now"),
        ("note", OLD, f"pushed with {TOKEN}"),
        ("tag", OLD, "release-1", "best"),
        ("tag", OLD, "best", "--remove"),
        ("tag", OTHER, "other"),
    ):
        result = call(*words, *where)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == ""

    shown = call("show", OLD, *where).stdout
    rows = json.loads(call("list", "--json", *where).stdout)
    data = json.loads(call("show", OLD, "--json", *where).stdout)
    table = call("list", *where).stdout
    page = call("report", OLD, "-o", "-", *where).stdout

    assert "Tags\n  release-1\n" in shown
    assert "good\\x1b[2J enough" in shown
    assert "for now" in shown
    assert data["tags"] == ["release-1"]
    assert data["later_notes"][0]["text"] == "good\x1b[2J enough\nfor now"
    assert len(data["later_notes"]) == 2
    assert [row["tags"] for row in rows] == [["other"], ["release-1"]]
    assert rows[1]["later_notes"] == data["later_notes"]
    assert "release-1" in table
    assert "release-1" in page
    assert "for now" in page
    for text in (shown, page, json.dumps(data), json.dumps(rows)):
        assert TOKEN not in text
    sidecar = journals.path / ".notes" / "journal.jsonl"
    assert TOKEN.encode() not in sidecar.read_bytes()
    assert (journals.path / OLD / "journal.jsonl").read_bytes() == before
    assert verify(sidecar).ok
    assert sidecar.stat().st_mode & 0o777 == 0o600
    assert JournalDirectory(journals.path).ids() == [OLD, OTHER]


def test_the_list_finds_a_tag_and_an_unknown_one_is_not_removed(call, where):
    call("tag", OLD, "release-1", *where)

    rows = json.loads(call("list", "--tag", "release-1", "--json", *where).stdout)
    refused = call("tag", OLD, "release-2", "--remove", *where)

    assert [row["session_id"] for row in rows] == [OLD]
    assert refused.exit_code == 2
    assert f"{OLD} has no tag release-2." in refused.stderr


def test_an_archive_has_them_and_takes_none(call, where):
    call("note", OLD, "as sent", *where)
    call("tag", OLD, "sent", *where)
    call("pack", OLD, "-o", "x.tar.gz", *where)

    data = json.loads(call("show", "x.tar.gz", "--json").stdout)
    refused = call("tag", "./x.tar.gz", "more", *where)

    assert data["tags"] == ["sent"]
    assert data["later_notes"][0]["text"] == "as sent"
    assert refused.exit_code == 2
    assert "only read" in refused.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("tag", OLD, "two words"),
        ("tag", OLD, "x" * 65),
        ("tag", OLD, ""),
        ("tag", OLD, "a\nb"),
        ("tag", OLD, TOKEN),
        ("note", OLD, "  "),
        ("note", OLD, "x" * 20_000),
        ("note", OLD),
    ],
)
def test_what_cannot_be_written_is_refused(call, journals, where, words):
    result = call(*words, *where)

    assert result.exit_code == 2
    assert TOKEN not in result.stderr
    assert not (journals.path / ".notes").exists()


def test_a_session_of_the_same_name_inherits_nothing(journals, where):
    CliRunner().invoke(journal, ["tag", OLD, "old", *map(str, where)])
    entries = later_entries(JournalDirectory(journals.path))[OLD]
    from kedro_journal.analysis.later import later_of

    assert later_of(entries, OLD, "u").tags == ("old",)
    assert later_of(entries, OLD, "another").tags == ()


def test_many_at_once_lose_none_and_damage_hides_only_itself(journals, where):
    from kedro_journal.config import Config
    from kedro_journal.replaying.annotating import add_later

    directory = JournalDirectory(journals.path)
    threads = [
        threading.Thread(
            target=add_later, args=(directory, Config(), OLD, "u", "note", (f"n{i}",))
        )
        for i in range(6)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    order = [e.text for e in later_entries(directory)[OLD]]
    assert set(order) == {f"n{i}" for i in range(6)}
    first = f'"text":"{order[0]}"'.encode()
    path = journals.path / ".notes" / "journal.jsonl"
    data = path.read_bytes().replace(first, b'"text":"nX"')
    path.write_bytes(data[:-5])  # and a torn tail
    add_later(directory, Config(), OLD, "u", "note", ("after",))

    texts = [e.text for e in later_entries(directory)[OLD]]
    assert texts == [*order[1:-1], "after"]
