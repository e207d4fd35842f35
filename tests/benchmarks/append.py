"""Append: one writer hot and cold, synced, and several processes at once."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import shelve
import sqlite3
import statistics
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from measure import Dose, Group, Subject, Target, peer, per_call_us
from samples import create, journal_of, opened, real_event

from kedro_journal.journal import JournalWriter
from kedro_journal.journal.codec import encode_event, seal
from kedro_journal.recording.recorder import Recorder
from kedro_journal.redaction import Redactor

_FIELDS = msgspec.structs.asdict(real_event())


def groups(dose: Dose, folder: Path) -> Iterator[Group]:
    """Give the groups of this module, one after the other."""
    line = _line()
    yield _hot(folder / "hot", line, dose.size(20_000, 4_000))
    yield _cold(folder / "cold", line, dose.size(3_000, 800))
    yield _synced(folder / "synced", line, dose.size(200, 60))
    yield _processes(folder / "processes", dose.size(20_000, 5_000))
    yield _bytes(line)


def _line() -> bytes:
    event = real_event()
    line, _ = seal(
        seq=123456,
        at="2026-11-22T05:11:32.123456Z",
        writer="w2",
        prev="1f0c9a77",
        event=event,
        data=encode_event(event),
    )
    return line


# -- one writer --------------------------------------------------------------------


def _bare(folder: Path, line: bytes) -> Callable[[], object]:
    folder.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    fd = os.open(folder / "bare", flags, 0o600)
    return lambda: os.write(fd, line)


def _ours(folder: Path, durability: Any = "flush") -> Callable[[], object]:
    writer = create(folder / "ours", durability=durability)
    return lambda: writer.append(real_event())


def _floor(folder: Path) -> Callable[[], object]:
    """What an append cannot do without, in one function and with nothing around it.

    It is no journal: it notices nothing, and it survives nothing.
    """
    import fcntl

    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    fd = os.open(folder / "floor", flags, 0o600)
    encode, thread_lock = msgspec.json.Encoder().encode, threading.RLock()
    seq, offset, prev = 0, 0, "00000000"

    def append() -> None:
        nonlocal seq, offset, prev
        event = real_event()
        data = encode(event)
        with thread_lock:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                if os.lseek(fd, 0, os.SEEK_END) != offset:
                    raise AssertionError
                at = encode(datetime.now(UTC))
                body = b'{"v":1,"seq":%d,"at":%b,"w":"w1","prev":"%b","type":"%b",' % (
                    seq + 1,
                    at,
                    prev.encode(),
                    event.TYPE.encode(),
                )
                body += b'"data":%b' % data
                crc = f"{zlib.crc32(body):08x}"
                offset += os.write(fd, b'%b,"crc":"%b"}\n' % (body, crc.encode()))
                seq, prev = seq + 1, crc
            finally:
                fcntl.flock(fd, fcntl.LOCK_UN)

    return append


def _recorder(folder: Path) -> Callable[[], object]:
    recorder = Recorder(
        create(folder / "recorder"),
        session_id="s",
        folder=None,
        redactor=Redactor(),
        session=None,
    )
    event = real_event
    # The guard wants a save to be open; a chunked node saves again and again.
    from kedro_journal.events import DatasetSaving

    recorder.record(
        DatasetSaving(run_id=event().run_id, node=event().node, dataset="d")
    )
    return lambda: recorder.record(real_event())


def _structlog(folder: Path) -> Callable[[], object]:
    import structlog

    file = (folder / "structlog").open("ab", buffering=0)
    logger = structlog.wrap_logger(
        structlog.BytesLogger(_Flushed(file)),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(_orjson()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
    ).bind()
    return lambda: logger.info("dataset.saved", **_FIELDS)


def _orjson() -> Callable[..., bytes]:
    import orjson

    return lambda value, default=None, **_: orjson.dumps(value, default=default)


class _Flushed:
    """A raw file, for a logger that writes and flushes."""

    def __init__(self, file: Any) -> None:
        self.write, self.flush = file.write, file.flush


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {"at": record.created, "type": record.getMessage(), **record.fields}  # type: ignore[attr-defined]
        )


def _logging(folder: Path) -> Callable[[], object]:
    logger = logging.Logger("benchmark")
    handler = logging.FileHandler(folder / "logging")
    handler.setFormatter(_Json())
    logger.addHandler(handler)
    return lambda: logger.info("dataset.saved", extra={"fields": _FIELDS})


def _sqlite(folder: Path, synchronous: str) -> Callable[[], object]:
    db = sqlite3.connect(folder / f"{synchronous}.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute(f"PRAGMA synchronous={synchronous}")
    db.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, at TEXT, body BLOB)")
    insert = "INSERT INTO events (at, body) VALUES (?, ?)"
    return lambda: db.execute(insert, (time.time(), encode_event(real_event())))


def _eventsourcing() -> Callable[[], object]:
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Session(Aggregate):
        @event("Saved")
        def saved(self, fields: dict[str, Any]) -> None:
            pass

    application: Application[Any] = Application()
    session = Session()
    application.save(session)

    def save() -> None:
        session.saved(fields=_FIELDS)
        application.save(session)

    return save


def _shelve(folder: Path) -> Callable[[], object]:
    """Kedro 0.17's ShelveStore.save: everything, at each change."""
    store: dict[str, Any] = {
        "package_name": "spaceflights",
        "project_path": "/home/user/project",
        "session_id": "2026-11-22T05.11.30.123Z",
        "git": {"commit_sha": "1f0c9a7", "dirty": False},
        "cli": {"args": [], "params": {}, "command_name": "run"},
        "env": "local",
        "extra_params": {"model": {"test_size": 0.2}},
    }

    def save() -> None:
        store["nodes"] = _FIELDS
        with shelve.open(str(folder / "shelf")) as db:
            for key in db.keys() - store.keys():
                del db[key]
            db.update(store)

    return save


def _hot(folder: Path, line: bytes, count: int) -> Group:
    bare, ours = _bare(folder, line), _ours(folder)
    recorder = _recorder(folder)
    bare_name, our_name = "bare os.write, same bytes", "kedro-journal append"

    def timed(call: Callable[[], object], share: float = 1) -> Callable[[], float]:
        return lambda: per_call_us(call, max(10, int(count * share)))

    sqlite_name, shelve_name = "sqlite3 WAL NORMAL autocommit", "shelve, as Kedro 0.17"
    structlog_name = "structlog + orjson, no lock"
    subjects = (
        Subject(bare_name, timed(bare)),
        Subject(our_name, timed(ours)),
        Subject("lock, encode, crc, write: nothing else", timed(_floor(folder))),
        Subject("kedro-journal, with redaction and guard", timed(recorder)),
        peer(
            structlog_name,
            ["structlog", "orjson"],
            lambda: timed(_structlog(folder)),
        ),
        Subject(sqlite_name, timed(_sqlite(folder, "NORMAL"), 0.5)),
        Subject("logging + json", timed(_logging(folder), 0.5)),
        peer(
            "eventsourcing, in memory",
            ["eventsourcing"],
            lambda: timed(_eventsourcing(), 0.1),
        ),
        Subject(shelve_name, timed(_shelve(folder), 0.002)),
    )
    return Group(
        "append, one writer, flush, hot",
        "us/event",
        subjects,
        (
            Target("append <= 8 x bare write", our_name, 8, bare_name),
            Target("append, stretch: <= 5 x bare write", our_name, 5, bare_name),
            Target("sqlite >= 2 x append", sqlite_name, 2, our_name, at_least=True),
            Target(
                "structlog >= 1.3 x append",
                structlog_name,
                1.3,
                our_name,
                at_least=True,
            ),
            Target("shelve >= 300 x append", shelve_name, 300, our_name, at_least=True),
        ),
    )


def _cold(folder: Path, line: bytes, count: int) -> Group:
    """Other work between appends, as a run has it: caches are somebody else's."""
    other = bytearray(4 * 1024 * 1024)
    words = {f"key{number}": [number] * 10 for number in range(2000)}

    def timed(call: Callable[[], object]) -> Callable[[], float]:
        def measure() -> float:
            spent = []
            for _ in range(count):
                other[::64] = bytes(len(other) // 64)
                sum(map(len, words.values()))
                started = time.perf_counter()
                call()
                spent.append(time.perf_counter() - started)
            return statistics.median(spent) * 1e6

        return measure

    bare, ours = _bare(folder, line), _ours(folder)
    return Group(
        "append, one writer, flush, cold",
        "us/event",
        (
            Subject("bare os.write, same bytes", timed(bare)),
            Subject("kedro-journal append", timed(ours)),
            Subject("lock, encode, crc, write: nothing else", timed(_floor(folder))),
            peer(
                "structlog + orjson, no lock",
                ["structlog", "orjson"],
                lambda: timed(_structlog(folder)),
            ),
            Subject("sqlite3 WAL NORMAL autocommit", timed(_sqlite(folder, "NORMAL"))),
        ),
        (
            Target(
                "append, cold <= 8 x bare write, cold",
                "kedro-journal append",
                8,
                "bare os.write, same bytes",
            ),
        ),
    )


# -- synced ------------------------------------------------------------------------


def _synced(folder: Path, line: bytes, count: int) -> Group:
    bare_write = _bare(folder, line)
    fd = os.open(folder / "bare", os.O_WRONLY)

    def bare() -> None:
        bare_write()
        os.fdatasync(fd)

    ours = _ours(folder, "sync")
    shared = create(folder / "shared", durability="sync")

    def threads() -> float:
        each = max(4, count // 8)

        def work() -> None:
            for _ in range(each):
                shared.append(real_event())

        workers = [threading.Thread(target=work) for _ in range(16)]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return (time.perf_counter() - began) / (each * 16) * 1e6

    names = "bare write + fdatasync", "kedro-journal, sync", "16 threads, sync"
    return Group(
        "append, on the disk",
        "us/event",
        (
            Subject(names[0], lambda: per_call_us(bare, count)),
            Subject(names[1], lambda: per_call_us(ours, count)),
            Subject(names[2], threads),
            Subject(
                "sqlite3 WAL FULL autocommit", _timed(_sqlite(folder, "FULL"), count)
            ),
        ),
        (
            Target("sync <= 1.15 x bare write + fdatasync", names[1], 1.15, names[0]),
            Target(
                "one writer's sync >= 5 x 16 threads'",
                names[1],
                5,
                names[2],
                at_least=True,
            ),
        ),
    )


def _timed(call: Callable[[], object], count: int) -> Callable[[], float]:
    return lambda: per_call_us(call, count)


# -- several processes -------------------------------------------------------------


def _append_many(folder: Path, count: int, gate: Any, answers: Any) -> None:
    writer = JournalWriter(folder, opened("worker"))
    writer.append(real_event())
    worst_s = 0.0
    gate.wait()
    began = time.perf_counter()
    for _ in range(count):
        before = time.perf_counter()
        writer.append(real_event())
        worst_s = max(worst_s, time.perf_counter() - before)
    answers.put((began, time.perf_counter(), worst_s))


def _processes(folder: Path, count: int) -> Group:
    processes = multiprocessing.get_context("fork")
    numbers = iter(range(1_000_000))

    def measure() -> dict[str, float]:
        here = folder / str(next(numbers))
        create(here).append(real_event())
        gate, answers = processes.Barrier(4), processes.Queue()
        workers = [
            processes.Process(target=_append_many, args=(here, count, gate, answers))
            for _ in range(4)
        ]
        for worker in workers:
            worker.start()
        told = [answers.get() for _ in workers]
        for worker in workers:
            worker.join()
        took = [ended - began for began, ended, _ in told]
        span = max(ended for _, ended, _ in told) - min(began for began, _, _ in told)
        journal_of(here).unlink()
        return {
            "events/s": 4 * count / span,
            "slowest/fastest": min(took) / max(took),
            "worst wait, ms": max(worst for _, _, worst in told) * 1e3,
        }

    name = "4 processes"
    return Group(
        "append, 4 processes on one journal",
        "",
        (Subject(name, measure),),
        (
            Target(
                "4 processes >= 150,000 events/s",
                f"{name}: events/s",
                150_000,
                at_least=True,
                unit="events/s",
            ),
            Target(
                "slowest/fastest >= 0.7",
                f"{name}: slowest/fastest",
                0.7,
                at_least=True,
            ),
            Target("worst wait < 50 ms", f"{name}: worst wait, ms", 50, unit="ms"),
        ),
    )


def _bytes(line: bytes) -> Group:
    data = encode_event(real_event())
    return Group(
        "bytes per event",
        "bytes",
        (
            Subject("the line", lambda: float(len(line))),
            Subject("the event's own JSON", lambda: float(len(data))),
        ),
        (
            Target(
                "line <= 1.25 x the event's JSON",
                "the line",
                1.25,
                "the event's own JSON",
            ),
        ),
        rounds=1,
    )
