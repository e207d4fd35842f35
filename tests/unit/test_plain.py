"""The reader's quick way: the same records, and it is taken."""

from __future__ import annotations

import random
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from events_strategy import events
from fuzzing.lines import Chain, Raw, reseal, sealed
from fuzzing.values import deep
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import file, put, sample_lines, seal_all

from kedro_journal.events import Cursor, DatasetSaved, Event, NodeStarted, Record
from kedro_journal.journal import Finding, Scanner, decode, read, read_runs
from kedro_journal.journal.codec import LINE_MAX_BYTES, PAYLOAD_MAX_BYTES
from kedro_journal.journal.lines import LineBuffer
from kedro_journal.journal.plain import Plain, plain_lines, record_of
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
    found = plain_lines(lines, Cursor(), lists=lists).entries
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
    found = plain_lines(lines, Cursor(), lists=lists).entries
    assert [one.seq for one in found] == list(range(1, number + 1))


def hostile() -> Iterator[bytes]:
    """Give single lines with right checksums that want to be taken for another."""

    def one(*what: object, **over: object) -> bytes:
        return Chain().add(*what, **over)  # type: ignore[arg-type]

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
    yield from ends(body)


def ends(body: bytes) -> Iterator[bytes]:
    """Give lines whose checksum is right, of all before their last 18 bytes."""
    for crc in (b',"crc":"%08X"}', b', "crc":"%08x"}', b',"crc": "%08x"}'):
        line = body + b"  "
        yield line + crc % zlib.crc32((line + crc % 0)[:-18]) + b"\n"
    for before in (b',"crc":"%08x"}', b',"crc":"%08x","w":"w1"}', b',"crc":"%08x"} '):
        # The checksum stands before what it is of: one that fits is searched for.
        for number in range(40):
            line = body + b" " * number + before % 0
            made = body + b" " * number + before % zlib.crc32(line[:-18])
            yield made + b"\n"
    yield sealed(body + b',"crc":"0"')
    yield sealed(body + b',"\\u0063rc":"00000000"')
    yield sealed(body[:-1] + b',"crc":"00000000"}')
    yield sealed(body)[:-2] + b" }\n"
    yield sealed(body)[:-1] + b"\r\n"
    yield b" " + sealed(body)
    yield sealed(b" " + body)
    yield sealed(body.replace(b",", b", ").replace(b":", b" : "))


@pytest.mark.parametrize("line", list(hostile()))
@pytest.mark.parametrize("lists", [False, True])
def test_a_hostile_line_means_the_same_on_either_way(line: bytes, lists: bool) -> None:
    slow = decode(line[:-1])
    nested = b"[" in line
    quick = plain_lines([line[:-1]], Cursor(), lists=lists or nested).entries
    if quick and len(line) < 200_000:
        assert record_of(quick[0], -1, -1) == slow


@pytest.mark.parametrize("size", [1024, 64 * 1024, PAYLOAD_MAX_BYTES, LINE_MAX_BYTES])
@pytest.mark.parametrize("what", ["line", "data", "chunk"])
def test_lines_of_exactly_a_limit_mean_the_same_on_either_way(
    tmp_path: Path, size: int, what: str
) -> None:
    """And a byte more or less: as long as a limit, or up to where a chunk ends."""
    for more in (-2, -1, 0, 1, 2):
        chain = Chain()
        chain.add("node.started", DATA)
        chain.add("node.started", DATA)
        room = size + more
        pad = Chain()
        pad.seq, pad.prev = chain.seq, chain.prev
        empty = pad.add("note.added", {"text": ""})
        taken = {"line": len(empty) - 1, "data": len('{"text":""}')}
        taken["chunk"] = taken["line"] + len(chain.data)
        if room >= taken[what]:
            chain.add("note.added", {"text": "x" * (room - taken[what])})
        for _ in range(5):
            chain.add("node.started", DATA)
        assert whole(tmp_path, chain.data) == one_by_one(chain.data)


@pytest.mark.parametrize("depth", [1, 2, 39, 40, 60, 61, 62, 63, 64, 65, 66, 100, 200])
@pytest.mark.parametrize("kind", ["[", "{", "[{"])
@pytest.mark.parametrize("where", ["node.started", "note.added", "session.activated"])
def test_a_deep_line_means_the_same_on_either_way(
    depth: int, kind: str, where: str
) -> None:
    """At the depth that a reader looks to, with nothing in it that need not be."""
    data = {
        "node.started": Raw(f'{{"run_id":null,"node":"","":{nested(depth, kind)}}}'),
        "note.added": Raw(f'{{"text":"","fields":{{"":{nested(depth, kind)}}}}}'),
        "session.activated": Raw(f'{{"":{nested(depth, kind)}}}'),
    }[where]
    line = Chain().add(where, data, at="2026-01-02T03:04:05Z", w="")[:-1]
    slow = decode(line)
    quick = plain_lines([line], Cursor(), lists=b"[" in line).entries
    if quick:
        assert record_of(quick[0], -1, -1) == slow
    if depth < 40:
        assert quick


def nested(depth: int, kind: str) -> str:
    """Give a value of so many containers within each other, as short as can be."""
    kinds = (kind * depth)[:depth]
    opening = "".join("[" if one == "[" else '{"":' for one in kinds)
    return f"{opening}0" + kinds[::-1].translate(str.maketrans("[{", "]}"))


def test_what_is_said_of_the_first_lines_is_of_no_others() -> None:
    lines = [line[:-1] for line in seal_all([SAVED] * 20)]
    whole = plain_lines(lines, Cursor())
    for count in range(1, 20):
        for odd in (b"", lines[0], lines[count][:-4], b"{}"):
            found = plain_lines([*lines[:count], odd, *lines[count:]], Cursor())
            assert list(found.entries) == list(whole.entries[:count])
            assert found.crcs.split(",") == [one.crc for one in found.entries]
            assert found.length == len(b"\n".join(lines[:count])) + 1


def test_after_odd_lines_as_many_are_taken_at_once_as_before(tmp_path: Path) -> None:
    lines = seal_all([NodeStarted(run_id="r", node="n")] * 5000)
    path = put(tmp_path, b"".join([*[lines[0]] * 300, *lines[1:]]))
    runs = list(read_runs(path, mode="salvage"))
    assert len(runs) < 100
    assert len(runs[-2].entries) > 200


def test_lines_are_not_looked_at_over_and_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However they alternate with others: that would take for ever."""
    looked_at: list[int] = []

    def counted(lines: list[bytes], last: Cursor, *, lists: bool) -> Plain:
        looked_at.append(len(lines))
        return plain_lines(lines, last, lists=lists)

    monkeypatch.setattr("kedro_journal.journal.scan.plain_lines", counted)
    started = seal_all([NodeStarted(run_id="r", node="n")] * 4000)
    for every, most in ((1, 2), (3, 4), (50, 3)):
        twice = [
            line
            for number, line in enumerate(started)
            for _ in range(1 if number % every else 2)
        ]
        put(tmp_path / "s", b"".join(twice))
        looked_at.clear()
        assert sum(1 for _ in read(file(tmp_path / "s"), mode="salvage")) == 4000
        assert sum(looked_at) < most * len(twice)


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


PIECES = st.sampled_from(
    [*(line for line in hostile() if len(line) < 2000), b"\n", b"junk\n", b"{}\n"]
)
CHANGES = st.sampled_from(
    ["twice", "gone", "cut", "bit", "swapped", "foreign", "again"]
)


@settings(max_examples=400, deadline=None)
@given(
    found=st.lists(events, max_size=30),
    changes=st.lists(st.tuples(CHANGES, st.integers(0, 60), PIECES), max_size=5),
    chunk=st.sampled_from([100, 333, 1024, 5000]),
)
def test_any_journal_reads_the_same_on_either_way(
    found: list[Event],
    changes: list[tuple[str, int, bytes]],
    chunk: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lines = seal_all(found)
    for change, place, piece in changes:
        at = place % (len(lines) or 1)
        match change:
            case "foreign":
                lines.insert(at, piece)
            case "again":
                lines = reseal(b"".join(lines), chain=True).splitlines(keepends=True)
            case "twice":
                lines[at:at] = lines[at : at + 3]
            case "gone":
                del lines[at : at + 1]
            case "swapped":
                lines[at : at + 2] = lines[at : at + 2][::-1]
            case _ if lines:
                line, middle = lines[at], len(lines[at]) // 2
                flipped = bytes([line[middle] ^ 1])
                lines[at] = line[:middle]
                if change == "bit":
                    lines[at] += flipped + line[middle + 1 :]
            case _:
                pass
    data = b"".join(lines)
    with pytest.MonkeyPatch.context() as patched:
        module = sys.modules["kedro_journal.journal.reader"]
        patched.setattr(module, "_CHUNK_MIN_BYTES", chunk)
        patched.setattr(module, "_CHUNK_MAX_BYTES", chunk)
        assert whole(tmp_path_factory.mktemp("j") / "s", data) == one_by_one(data)


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
        seen.add(first, ",".join(f"{seq:08x}" for seq in range(first, first + 100)))
    seen.add(20_001, "51261e00")
    assert seen.has(20_001, "51261e00")
    assert seen.has(20_000, f"{20_000:08x}")
    assert seen.has(16_000, f"{16_000:08x}")
    assert not seen.has(15_000, f"{15_000:08x}")
    assert not seen.has(20_000, "other")
