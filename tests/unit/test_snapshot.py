"""Snapshots: the same state as by folding everything, or none at all."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from events_strategy import events
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import file, put, sample_lines

from kedro_journal.errors import CorruptJournal
from kedro_journal.events import Event
from kedro_journal.journal import kept
from kedro_journal.journal.kept import read_kept, write_kept
from kedro_journal.replaying import replay_folder, snapshot
from kedro_journal.replaying.snapshot import SNAPSHOT_NAME, load
from kedro_journal.state import SessionState
from kedro_journal.testing import fold

LINES = sample_lines(1200, (100, 300))


@pytest.fixture(autouse=True)
def short_journals_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """And those that were written this very moment."""
    module = sys.modules["kedro_journal.replaying.folder"]
    monkeypatch.setattr(module, "FROM_BYTES", 20_000)
    monkeypatch.setattr(kept, "SETTLED_NS", -1)


def whole(folder: Path) -> SessionState:
    return replay_folder(folder, snapshot=False)


def test_the_second_replay_goes_on_from_the_first(tmp_path: Path) -> None:
    put(tmp_path, b"".join(LINES[:500]))
    assert replay_folder(tmp_path) == whole(tmp_path)
    found = load(file(tmp_path))
    assert found is not None
    assert found[0].seq == found[1].seq == 500
    assert replay_folder(tmp_path) == whole(tmp_path)


def test_records_that_were_added_are_folded_onto_it(tmp_path: Path) -> None:
    put(tmp_path, b"".join(LINES[:500]))
    replay_folder(tmp_path)
    for upto in (501, 520, 1200):
        with file(tmp_path).open("ab") as out:
            out.write(b"".join(LINES[replay_folder(tmp_path).seq : upto]))
        assert load(file(tmp_path)) is not None
        assert replay_folder(tmp_path) == whole(tmp_path)
        assert replay_folder(tmp_path).seq == upto
    found = load(file(tmp_path))
    assert found is not None
    assert found[1].seq == 1200  # so much was added that a new one was left


def test_nothing_is_kept_of_a_short_journal_nor_for_the_past(tmp_path: Path) -> None:
    put(tmp_path / "short", b"".join(LINES[:20]))
    put(tmp_path / "long", b"".join(LINES))
    replay_folder(tmp_path / "short")
    replay_folder(tmp_path / "long", until_seq=1000)
    replay_folder(tmp_path / "long", salvage=True)
    replay_folder(tmp_path / "long", snapshot=False)
    assert not list(tmp_path.glob(f"*/{SNAPSHOT_NAME}"))


@pytest.mark.parametrize("place", [number / 25 for number in range(25)])
def test_a_change_in_place_is_found(tmp_path: Path, place: float) -> None:
    """Wherever it is: a journal that did not grow is what it was, or read anew."""
    path = put(tmp_path, b"".join(LINES))
    replay_folder(tmp_path)
    data = bytearray(path.read_bytes())
    data[round(place * (len(data) - 200))] ^= 1
    path.write_bytes(data)
    assert load(path) is None
    with pytest.raises(CorruptJournal):
        replay_folder(tmp_path)


def test_a_shorter_or_another_journal_is_folded_itself(tmp_path: Path) -> None:
    path = put(tmp_path, b"".join(LINES))
    replay_folder(tmp_path)
    path.write_bytes(b"".join(LINES[:900]))
    assert replay_folder(tmp_path).seq == 900
    path.write_bytes(b"".join(sample_lines(1300, (100, 300), seed=2)))
    assert replay_folder(tmp_path) == whole(tmp_path)


FIELDS = ("inode", "size", "changed_ns", "seq", "offset", "crc", "spots", "state")


@pytest.mark.parametrize(
    "change", [b"", b"\x00", b"\xff" * 99, None, "bit", "form", "seq", "offset", "deep"]
)
def test_a_snapshot_that_does_not_read_is_passed_over(
    tmp_path: Path, change: bytes | str | None
) -> None:
    put(tmp_path, b"".join(LINES))
    replay_folder(tmp_path)
    path = tmp_path / SNAPSHOT_NAME
    content = read_kept(path, snapshot._FORM)
    assert content is not None
    fields = msgspec.msgpack.decode(content)
    if isinstance(change, bytes):
        path.write_bytes(change)
    elif change is None:
        path.write_bytes(path.read_bytes()[:-50])
    elif change == "bit":  # in a text: nothing but the checksum tells
        path.write_bytes(path.read_bytes().replace(b"testhost", b"testhosT"))
    elif change == "form":
        write_kept(path, "another form", content)
    elif change == "deep":
        deep = b"\x91" * 100_000 + b"\x90"
        fields[-1]["runtime_params"] = {"a": msgspec.Raw(deep)}
        write_kept(path, snapshot._FORM, msgspec.msgpack.encode(fields))
    else:
        fields[FIELDS.index(change)] += 10**9
        write_kept(path, snapshot._FORM, msgspec.msgpack.encode(fields))
    assert load(file(tmp_path)) is None
    assert replay_folder(tmp_path) == whole(tmp_path)


def test_where_none_can_be_left_the_replay_is_what_it_was(tmp_path: Path) -> None:
    put(tmp_path, b"".join(LINES))
    (tmp_path / SNAPSHOT_NAME).mkdir()
    assert replay_folder(tmp_path) == whole(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"journal.jsonl", SNAPSHOT_NAME}


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "a", b"".join(LINES))
    put(tmp_path / "b", b"".join(LINES))
    replay_folder(tmp_path / "a")
    link = tmp_path / "b" / SNAPSHOT_NAME
    link.symlink_to(tmp_path / "a" / SNAPSHOT_NAME)
    assert load(file(tmp_path / "b")) is None


@settings(max_examples=200, deadline=None)
@given(found=st.lists(events, max_size=30))
def test_any_state_is_the_same_after_being_kept(found: list[Event]) -> None:
    state = fold(*found)
    data = msgspec.msgpack.encode(state)
    assert msgspec.msgpack.decode(data, type=SessionState) == state
