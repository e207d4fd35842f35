"""The last records from the end of a file: those that a whole reading yields last."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journals import file, put, sample_lines

from kedro_journal.journal import last, read
from kedro_journal.journal.last import last_records
from kedro_journal.journal.port import Os


class Counting(Os):
    """Counts the bytes that are read."""

    bytes_read = 0

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        data = super().read_at(fd, size, offset)
        self.bytes_read += len(data)
        return data


LINES = sample_lines(400, (0, 400))
WHOLE = b"".join(LINES)
UNEXPECTED = (b"", b"torn", b"\n\n", b"\0" * 50, b"[]\n", LINES[5])


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    count=st.integers(1, 400),
    number=st.integers(1, 60),
    window=st.integers(100, 30_000),
    end=st.sampled_from(UNEXPECTED[:-1]),
    missing=st.none() | st.integers(1, 40),
)
def test_it_agrees_with_a_whole_reading_wherever_it_answers(
    tmp_path: Path, count: int, number: int, window: int, end: bytes, missing: int
) -> None:
    """Also where records near the end are lost: then it leaves that to `read`."""
    lines = LINES[:count]
    if missing is not None and missing < count:
        del lines[-missing - 1]
    path = put(tmp_path / "s", b"".join(lines) + end)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(last, "_WINDOW_MIN_BYTES", window)
        found = last_records(path, number)
    if found is not None:
        assert found == list(read(path, mode="salvage"))[-number:]


def test_of_a_long_journal_only_the_end_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last, "_WINDOW_MIN_BYTES", 4096)
    path, port = put(tmp_path / "s", WHOLE), Counting()
    found = last_records(path, 3, port)
    assert found == list(islice(read(path), len(LINES) - 3, None))
    assert port.bytes_read <= 2 * 4096


def test_damage_at_the_end_is_left_to_a_whole_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last, "_WINDOW_MIN_BYTES", 4096)
    for end in (b"\n\n", b"[]\n", LINES[5]):
        assert last_records(put(tmp_path / "s", WHOLE + end), 3) is None
    damaged = WHOLE[:-100] + b"\xff" + WHOLE[-99:]
    assert last_records(put(tmp_path / "s", damaged), 3) is None


def test_a_short_journal_is_left_to_a_whole_reading(tmp_path: Path) -> None:
    assert last_records(put(tmp_path / "s", WHOLE[:5000]), 3) is None
    put(tmp_path / "s", b"")
    assert last_records(file(tmp_path / "s"), 3) is None
