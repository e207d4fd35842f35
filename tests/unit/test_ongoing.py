"""A state that is folded on says the same as one folded from the first record."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from events_strategy import events
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import HEADER, file, put, sample_lines, seal_all

from kedro_journal.events import Event, SessionClosed, WriterOpened
from kedro_journal.replaying import ongoing, replay_folder
from kedro_journal.replaying.ongoing import Ongoing

LINES = sample_lines(60)
BROKEN = (b"", b"torn", b"\n\n", b"\0" * 50, b"[]\n", LINES[20], LINES[40][:-9] + b"\n")


def whole(folder: Path) -> object:
    return replay_folder(folder, salvage=True)


def append(folder: Path, data: bytes) -> None:
    with file(folder).open("ab") as out:
        out.write(data)


@settings(max_examples=40, deadline=None)
@given(found=st.lists(events, max_size=30), parts=st.lists(st.integers(0, 9)))
def test_it_agrees_with_a_replay_at_every_step(
    found: list[Event], parts: list[int]
) -> None:
    opened = WriterOpened(pid=1, host="elsewhere")
    lines = seal_all([HEADER, opened, *found, SessionClosed()])
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "s"
        put(folder, lines[0])
        state, done = Ongoing(folder), 1
        for part in [*parts, len(lines)]:
            append(folder, b"".join(lines[done : done + part]))
            done += part
            assert state.state() == whole(folder)


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(BROKEN), st.integers(0, 5)), max_size=6)
)
def test_it_agrees_with_a_replay_past_damage(steps: list[tuple[bytes, int]]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "s"
        put(folder, b"".join(LINES[:30]))
        state, done = Ongoing(folder), 30
        for junk, part in steps:
            append(folder, junk + b"".join(LINES[done : done + part]))
            done += part
            assert state.state() == whole(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "s", b"".join(LINES[:30]))
    return tmp_path / "s"


def test_only_what_came_since_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = Ongoing(folder)
    state.state()
    monkeypatch.setattr(ongoing, "Folded", None)  # nothing begins at the first record
    monkeypatch.setattr(ongoing, "replay_folder", None)
    append(folder, LINES[30])
    assert state.state().seq == 31
    assert state.state() == whole(folder)


def test_another_or_a_shorter_file_is_read_from_its_beginning(folder: Path) -> None:
    state = Ongoing(folder)
    assert state.state().seq == 30
    file(folder).write_bytes(b"".join(LINES[:20]))
    assert state.state() == whole(folder)
    assert state.state().seq == 20
    put(folder.parent / "other", b"".join(LINES[:25]))
    file(folder.parent / "other").replace(file(folder))
    assert state.state() == whole(folder)
    assert state.state().seq == 25
    file(folder).unlink()
    with pytest.raises(FileNotFoundError):
        state.state()


def test_who_asks_while_another_thread_reads_does_not_wait(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, reading, go_on = Ongoing(folder), threading.Event(), threading.Event()
    real = ongoing.with_liveness

    def slow(*args: object, **more: object) -> object:
        reading.set()
        assert go_on.wait(60)
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ongoing, "with_liveness", slow)
    other = threading.Thread(target=state.state)
    other.start()
    assert reading.wait(60)
    assert state.state() == whole(folder)
    go_on.set()
    other.join()


def test_an_exception_midway_leaves_nothing_half_folded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = Ongoing(folder)
    state.state()
    append(folder, LINES[30])
    with monkeypatch.context() as patched:

        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(ongoing, "with_liveness", interrupted)
        with pytest.raises(KeyboardInterrupt):
            state.state()
    assert state.state() == whole(folder)
