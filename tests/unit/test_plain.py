"""The reader's quick way: the same records, and it is taken."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from events_strategy import events
from fuzzing.lines import Chain, Raw, sealed
from fuzzing.values import deep
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import file, put, sample_lines, seal_all

from kedro_journal.events import Cursor, DatasetSaved, Event, NodeStarted, Record
from kedro_journal.journal import Finding, Scanner, decode, read, read_runs
from kedro_journal.journal.lines import LineBuffer
from kedro_journal.journal.plain import plain_lines, record_of
from kedro_journal.journal.seen import SeenRecords
from kedro_journal.state import StateBuilder, fold

SAVED = DatasetSaved(run_id="r", node="n", dataset="d", path="/a/b", size_bytes=1)
DATA = {"run_id": "r", "node": "n"}


def one_by_one(data: bytes) -> tuple[list[Record], list[Finding]]:
    """Read a journal with the machine that takes every line, and nothing else."""
    scanner, buffer = Scanner(), LineBuffer()
    found = [scanner.take(line) for line in buffer.feed(data)]
    found.append(scanner.finish(buffer.tail, buffer.tail_offset, buffer.tail_length))
    return [record for record in found if record is not None], scanner.findings


def whole(folder: Path, data: bytes) -> tuple[list[Record], list[Finding]]:
    findings: list[Finding] = []
    path = put(folder, data)
    records = list(read(path, mode="salvage", on_finding=findings.append))
    return records, findings


@pytest.mark.parametrize("lists", [False, True])
def test_lines_that_simply_go_on_are_taken_all_at_once(lists: bool) -> None:
    lines = [line[:-1] for line in seal_all([SAVED] * 50)]
    found = plain_lines(lines, 0, Cursor(), lists=lists)
    assert len(found) == 50
    places = (record_of(one, -1, -1) for one in found)
    assert [decode(line) for line in lines] == list(places)


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (7, lambda line: line.replace(b'"n"', b'"m"')),
        (7, lambda line: line[:-4]),
        (7, lambda line: b""),
        (7, lambda line: sealed(line[:-18].replace(b'"seq":8,', b'"seq":9,'))[:-1]),
        (7, lambda line: sealed(line[:-18].replace(b'{"v":1', b'{"v":2'))[:-1]),
        (7, lambda line: sealed(line[:-18].replace(b"Z", b"+01:00"))[:-1]),
        (7, lambda line: sealed(line[:-18].replace(b'"/a/b"', b'["/a"]'))[:-1]),
        (0, lambda line: sealed(line[:-18].replace(b'"prev":"0', b'"prev":"1'))[:-1]),
    ],
)
@pytest.mark.parametrize("lists", [False, True])
def test_the_first_line_that_does_not_go_on_is_left(
    number: int, change: object, lists: bool
) -> None:
    lines = [line[:-1] for line in seal_all([SAVED] * 20)]
    lines[number] = change(lines[number])  # type: ignore[operator]
    found = plain_lines(lines, 0, Cursor(), lists=lists)
    assert [one.seq for one in found] == list(range(1, number + 1))


def hostile() -> Iterator[bytes]:
    """Give single lines with right checksums that want to be taken for another."""
    one = Chain().add
    yield one("node.started", DATA)
    yield one("node.started", DATA, type2="x")
    yield one("node.started", DATA, tv=2)
    yield one("node.started", DATA, tv=1)
    yield one("node.started", DATA, v=True)
    yield one("node.started", DATA, v=Raw("1.0"))
    yield one("node.started", DATA, seq=Raw("1.0"))
    yield one("node.started", DATA, at="2026-01-02T03:04:05+01:00")
    yield one("node.started", DATA, at="0001-01-01T00:00:00+14:00")
    yield one("node.started", DATA, w=None)
    yield one("node.started", DATA, w="\\u0041\n")
    yield one("node.started", DATA | {"node": 5})
    yield one("node.started", DATA | {"other": Raw(deep(30, kind="{"))})
    yield one("node.started", DATA | {"other": Raw(deep(500, kind="{"))})
    yield one("node.started", DATA | {"other": Raw(deep(500, kind="["))})
    yield one("node.started", DATA | {"node": "{" * 300})
    yield one("node.started", DATA | {"node": "x" * 300_000})
    yield one("node.paused", DATA)
    yield one("dataset.saved", DATA)
    body = one("node.started", DATA)[:-19]
    yield sealed(body + b',"type":"node.completed"')
    yield sealed(body + b',"data":{"run_id":null,"node":"m"}')
    yield sealed(body + b',"seq":1,"prev":"00000000","w":"other"')
    yield sealed(body + b',"crc":"00000000"')
    yield sealed(body.replace(b'"n"', b'"\xff"'))
    yield sealed(body + b',"extra":"\xff"')
    yield sealed(b'{"seq":1,' + body.removeprefix(b'{"v":1,"seq":1,') + b',"v":1')
    yield body + b',"crc":"ABCDEF01"}\n'


@pytest.mark.parametrize("line", list(hostile()))
@pytest.mark.parametrize("lists", [False, True])
def test_a_hostile_line_means_the_same_on_either_way(line: bytes, lists: bool) -> None:
    slow = decode(line[:-1])
    nested = b"[" in line
    quick = plain_lines([line[:-1]], 0, Cursor(), lists=lists or nested)
    if quick and len(line) < 200_000:
        assert record_of(quick[0], -1, -1) == slow


def test_a_journal_reads_the_same_on_either_way(tmp_path: Path) -> None:
    """Whatever is between the plain lines, and however they are damaged."""
    rng = random.Random(7)
    for turn in range(60):
        lines = sample_lines(rng.randint(1, 400), (0, rng.choice([5, 900])), turn)
        if turn % 3:
            lines += [b"\n" * rng.randint(0, 2)]
            at = rng.randrange(len(lines))
            match turn % 5:
                case 0:
                    del lines[at]
                case 1:
                    lines.insert(at, lines[at])
                case 2:
                    lines.insert(at, lines[0])
                case 3:
                    lines[at] = lines[at][: len(lines[at]) // 2]
                case 4:
                    lines[at] = lines[at].replace(b"n", b"m", 1)
        data = b"".join(lines)
        assert whole(tmp_path, data) == one_by_one(data)


@settings(max_examples=150, deadline=None)
@given(found=st.lists(events, max_size=40))
def test_any_events_read_and_fold_the_same_on_either_way(
    found: list[Event], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("j") / "s"
    data = b"".join(seal_all(found))
    records, _ = one_by_one(data)
    assert whole(folder, data)[0] == records
    builder = StateBuilder()
    for run in read_runs(file(folder), mode="salvage"):
        builder.add_all(run.entries)
    assert builder.state() == fold(records)


def test_a_run_ends_where_its_last_record_does(tmp_path: Path) -> None:
    path = put(tmp_path, b"".join(sample_lines(900)))
    ends = []
    for run in read_runs(path):
        *_, last = run.records()
        assert run.end == last.cursor
        ends.append(run.end)
    assert ends[-1].offset == path.stat().st_size
    for end in ends:
        rest = next(iter(read(path, start=end)), None)
        assert rest is None or rest.seq == end.seq + 1


def test_plain_lines_do_not_come_one_at_a_time(tmp_path: Path) -> None:
    """Else the quick way would not be taken."""
    started = NodeStarted(run_id="r", node="n")
    path = put(tmp_path, b"".join(seal_all([started] * 5000)))
    assert sum(1 for _ in read_runs(path)) < 100


def test_the_last_records_are_remembered_and_no_more() -> None:
    seen = SeenRecords(0, "start")
    for first in range(1, 20_001, 100):
        seen.add_run(first, [f"{seq:08x}" for seq in range(first, first + 100)])
    seen.add(20_001, "single")
    assert seen.has(20_001, "single")
    assert seen.has(20_000, f"{20_000:08x}")
    assert seen.has(16_000, f"{16_000:08x}")
    assert not seen.has(15_000, f"{15_000:08x}")
    assert not seen.has(20_000, "other")
