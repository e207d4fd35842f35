"""What stands on the disk: golden lines, both ways, for ever."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path

import msgspec
import pytest
from golden import full, line_of

from kedro_journal.events import EVENT_TYPES, Record, UnknownEvent
from kedro_journal.journal.codec import decode, encode_event, seal, timestamp

WIRE = Path(__file__).parent / "v1"
GOLDEN = [
    pytest.param(line, id=f"{path.stem}-{number}")
    for path in sorted(WIRE.glob("*.jsonl"))
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1)
]


def again(record: Record) -> bytes:
    """Write a record as it was read."""
    data = encode_event(record.event)
    line, _ = seal(
        seq=record.seq,
        at=timestamp(record.at),
        writer=record.writer,
        prev=record.prev,
        event=record.event,
        data=data,
    )
    return line[:-1]


def reseal(line: bytes, old: bytes, new: bytes) -> bytes:
    """Change a line and give it the checksum that it then deserves."""
    assert old in line
    body = line[:-18].replace(old, new, 1)
    return b'%b,"crc":"%08x"}' % (body, zlib.crc32(body))


@pytest.mark.parametrize("line", GOLDEN)
def test_line_and_record_are_the_same_fact(line: bytes) -> None:
    record = decode(line)
    assert isinstance(record, Record)
    assert not isinstance(record.event, UnknownEvent)
    assert again(record) == line


def test_every_event_type_has_golden_lines() -> None:
    assert {path.stem for path in WIRE.glob("*.jsonl")} == set(EVENT_TYPES)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_field_of_an_event_survives_the_line(name: str) -> None:
    event = full(EVENT_TYPES[name])
    record = decode(line_of(event, 7)[:-1])
    assert isinstance(record, Record)
    assert (record.event, record.seq, record.type) == (event, 7, name)


@pytest.mark.parametrize("line", GOLDEN)
def test_a_newer_version_of_a_known_type_is_kept_byte_for_byte(line: bytes) -> None:
    newer = reseal(line, b',"data":{', b',"tv":2,"data":{"new": 1.50,')
    newer = reseal(newer, b",}", b"}") if b",}" in newer else newer
    record = decode(newer)
    assert isinstance(record, Record)
    assert isinstance(record.event, UnknownEvent)
    assert record.event.version == 2
    assert again(record) == newer


@pytest.mark.parametrize("line", GOLDEN)
def test_an_unknown_type_is_kept_byte_for_byte(line: bytes) -> None:
    name = decode(line).type.encode()  # type: ignore[union-attr]
    unknown = reseal(line, b'"type":"' + name, b'"type":"future.' + name)
    record = decode(unknown)
    assert isinstance(record, Record)
    assert isinstance(record.event, UnknownEvent)
    assert record.type == f"future.{name.decode()}"
    assert again(record) == unknown


@pytest.mark.parametrize("line", GOLDEN)
def test_fields_that_we_do_not_know_do_not_hide_the_ones_we_do(line: bytes) -> None:
    extra = b'"data":{"later":[1,{"x":null}]'
    extra += b"" if b'"data":{}' in line else b","
    record, known = decode(reseal(line, b'"data":{', extra)), decode(line)
    assert isinstance(record, Record)
    assert isinstance(known, Record)
    assert record.event == known.event


@pytest.mark.parametrize("line", GOLDEN)
def test_data_that_does_not_fit_its_type_is_kept_and_not_guessed(line: bytes) -> None:
    record = decode(reseal(line, b'"data":{', b'"data":[{') + b"")
    assert not isinstance(record, Record)  # brackets that do not match are no JSON
    body = line[: line.index(b'"data":')] + b'"data":[1, 2.50]'
    sealed = b'%b,"crc":"%08x"}' % (body, zlib.crc32(body))
    kept = decode(sealed)
    assert isinstance(kept, Record)
    assert isinstance(kept.event, UnknownEvent)
    assert again(kept) == sealed


def test_v_stands_first_and_crc_last() -> None:
    for parameter in GOLDEN:
        (line,) = parameter.values
        keys = list(msgspec.json.decode(line))
        assert keys == ["v", "seq", "at", "w", "prev", "type", "data", "crc"]
        assert line.startswith(b'{"v":1,"seq":')
        assert line[-18:-10] == b',"crc":"'
        assert int(line[-10:-2], 16) == zlib.crc32(line[:-18])


def test_golden_lines_are_only_ever_added() -> None:
    """Compared with HEAD and with every release: lines are neither changed nor gone."""
    root = Path(__file__).parents[2]
    folder = WIRE.relative_to(root).as_posix()

    def git(*arguments: str) -> bytes:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout

    try:
        commits = ["HEAD", *git("tag", "--merged", "HEAD").decode().split()]
        git("rev-parse", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: a source archive has no history to compare")
    for commit in commits:
        names = git("ls-tree", "-r", "--name-only", commit, folder).decode().split()
        for name in names:
            path = root / name
            assert path.exists(), f"{name} was removed"
            assert path.read_bytes().startswith(git("show", f"{commit}:{name}")), name
