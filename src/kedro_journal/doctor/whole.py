"""A real journal, two processes that append to it, and one of them killed."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from kedro_journal.events import JournalHeader, NoteAdded, WriterOpened
from kedro_journal.journal import Finding, JournalWriter, read

from .bench import ELSEWHERE, Bench, can_fork
from .child import Probe
from .model import Check, ok, problem
from .partner import Line, Partner

__all__ = ["whole_probes"]

_EVENTS: Final = 60  # of the process that lives
_KILLED_AFTER: Final = 30  # of the other, which would go on for ever
_DEADLINE_S: Final = 4.0


def whole_probes(bench: Bench) -> list[Probe]:
    """Return the probe of a whole journal, where there can be two processes."""
    probe = Probe("operations.journal", "a whole journal", lambda: _journal(bench))
    return [probe] if can_fork() else []


def _journal(bench: Bench) -> Iterator[Check]:
    folder = bench.folder / "journal"
    bench.port.make_folder(folder)
    header = JournalHeader(
        session_id="doctor", uid="doctor", salt="doctor", package_version="0"
    )
    creator = _writer(bench, folder, header)
    creator.append(NoteAdded(text="created"))
    acknowledged = ["created"]

    def append(name: str, numbers: Iterable[int], line: Line) -> None:
        writer = _writer(bench, folder)
        line.expect("go")
        for number in numbers:
            writer.append(NoteAdded(text=f"{name}{number}"))
            line.say(str(number))
        line.hear()

    with (
        Partner(lambda line: append("a", itertools.count(), line)) as doomed,
        Partner(lambda line: append("b", range(_EVENTS), line)) as other,
    ):
        doomed.line.say("go")
        other.line.say("go")
        for number in range(_KILLED_AFTER):
            doomed.line.expect(str(number))
        doomed.kill()
        doomed.reap()
        said = _KILLED_AFTER + len(doomed.line.rest())
        acknowledged += [f"a{number}" for number in range(said)]
        for number in range(_EVENTS):
            other.line.expect(str(number))
        acknowledged += [f"b{number}" for number in range(_EVENTS)]
    creator.append(NoteAdded(text="ended"))
    yield _judge(creator.path, [*acknowledged, "ended"])


def _writer(
    bench: Bench, folder: Path, header: JournalHeader | None = None
) -> JournalWriter:
    opened = WriterOpened(
        pid=os.getpid(), host="", role="worker" if header is None else "owner"
    )
    return JournalWriter(
        folder,
        opened,
        header=header,
        deadline_s=_DEADLINE_S,
        backend=bench.choose(bench.lock_backend),
        port=bench.port,
    )


def _judge(path: Path, acknowledged: list[str]) -> Check:
    findings: list[Finding] = []
    found: Counter[str] = Counter()
    for record in read(path, mode="salvage", on_finding=findings.append):
        if isinstance(record.event, NoteAdded):
            found[record.event.text] += 1
    missing = [text for text in acknowledged if not found[text]]
    twice = [text for text, times in found.items() if times > 1]
    errors = [one.detail for one in findings if one.severity == "error"]
    facts = {
        "acknowledged": len(acknowledged),
        "lost": len(missing),
        "twice": len(twice),
        "findings": [finding.kind for finding in findings],
    }
    if missing or twice or errors:
        first = f" First finding: {errors[0]}." if errors else ""
        return problem(
            "operations.journal",
            f"Two processes appended to a journal and one was killed: "
            f"{len(missing)} of {len(acknowledged)} acknowledged records are missing, "
            f"{len(twice)} are there twice.{first}",
            f"{ELSEWHERE}: records would be lost here.",
            **facts,
        )
    return ok(
        "operations.journal",
        f"Two processes appended to a journal, one was killed meanwhile (kill -9): all "
        f"{len(acknowledged)} acknowledged records are there, each once, in order.",
        **facts,
    )
