"""The frozen record of a release: its schemas, its journals and what they add up to.

Every later version must read these journals to the same state, and may only add to the
schemas. A release is made once:

    python tests/support/release.py 0.1.0

That refuses a release which is there, for a published one is never altered. As long as
it is not published, `--again` makes it anew.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from golden import AT, full, least

from kedro_journal.events import (
    EVENT_TYPES,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    ErrorInfo,
    Event,
    JournalGap,
    JournalHeader,
    JournalRepaired,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    NoteAdded,
    PlannedNode,
    Record,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunStarted,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    SessionFailed,
    SessionResumed,
    WriterOpened,
)
from kedro_journal.events.schema import published
from kedro_journal.journal import read
from kedro_journal.journal.codec import encode_event, seal, timestamp
from kedro_journal.state import SessionState, fold
from kedro_journal.views.data import json_text, state_data

__all__ = ["RELEASES", "SUMS", "journals_of", "releases", "state_text"]

RELEASES: Final = Path(__file__).parents[1] / "wire" / "releases"
SUMS: Final = "SHA256SUMS"
_ID: Final = "2026-11-22T05.11.32.123Z"
_RUN: Final = _ID


def releases() -> list[Path]:
    """Give the folder of each release, oldest first."""
    return sorted(path for path in RELEASES.iterdir() if path.is_dir())


def journals_of(release: Path) -> list[Path]:
    """Give the journals of a release; the state of each lies beside it."""
    return sorted((release / "journals").glob("*.jsonl"))


def state_text(state: SessionState) -> str:
    """Write a state as it is stored: without what only a living process tells."""
    return json_text(state_data(msgspec.structs.replace(state, liveness=None)))


# -- journals that are made up: every event type, and what real runs seldom have -------


def sealed(events: Iterable[Event]) -> bytes:
    """Seal events as one journal."""
    lines, prev = [], "00000000"
    for seq, event in enumerate(events, 1):
        line, prev = seal(
            seq=seq,
            at=AT,
            writer="w1",
            prev=prev,
            event=event,
            data=encode_event(event),
        )
        lines.append(line)
    return b"".join(lines)


def _begun() -> list[Event]:
    return [
        JournalHeader(session_id=_ID, uid="u", salt="s", package_version="0.1.0"),
        WriterOpened(pid=7, host="workstation", boot_id="b", started_at_ticks=5),
        SessionCreated(session_id=_ID, package_name="forecast", host="workstation"),
        SessionActivated(),
    ]


def _run(*names: str, attempt: int = 1) -> list[Event]:
    nodes = tuple(
        PlannedNode(name=name, inputs=(f"in {name}",), outputs=(f"out {name}",))
        for name in names
    )
    return [RunStarted(run_id=_RUN, attempt=attempt, nodes=nodes)]


def _node(name: str, attempt: int = 1) -> list[Event]:
    at: dict[str, Any] = {"run_id": _RUN, "attempt": attempt, "node": name}
    load, save = f"in {name}", f"out {name}"
    return [
        DatasetLoading(**at, dataset=load),
        DatasetLoaded(**at, dataset=load, duration_s=0.5),
        NodeStarted(**at),
        NodeComputed(**at, duration_s=1.0),
        DatasetSaving(**at, dataset=save),
        DatasetSaved(**at, dataset=save, path=f"data/{name}.txt", size_bytes=3),
        NodeCompleted(**at, duration_s=1.5),
    ]


def made_up() -> Iterator[tuple[str, list[Event]]]:
    """Give journals of every event type, and of every ending, by name."""
    error = ErrorInfo(type="ValueError", message="told to")
    closed: list[Event] = [SessionDeactivated(), SessionClosed(reason="close")]
    yield "every-event-full", [full(cls) for cls in EVENT_TYPES.values()]
    yield "every-event-least", [least(cls) for cls in EVENT_TYPES.values()]
    yield "created", _begun()
    yield "no-run", [*_begun(), *closed]
    yield "running", [*_begun(), *_run("a", "b"), *_node("a"), *_node("b")[:3]]
    yield (
        "completed",
        [*_begun(), *_run("a"), *_node("a"), RunCompleted(run_id=_RUN), *closed],
    )
    yield (
        "failed",
        [
            *_begun(),
            *_run("a", "b"),
            *_node("a")[:3],
            NodeFailed(run_id=_RUN, node="a", error=error),
            RunFailed(run_id=_RUN, error=error),
            *closed,
        ],
    )
    yield (
        "interrupted",
        [
            *_begun(),
            *_run("a"),
            *_node("a")[:5],
            RunInterrupted(run_id=_RUN, reason="SIGTERM", signal=15),
            *closed[:1],
            SessionClosed(reason="signal"),
        ],
    )
    yield (
        "failed-before-a-run",
        [*_begun(), SessionFailed(error=error, phase="context"), *closed],
    )
    yield (
        "retried",
        [
            *_begun(),
            *_run("a"),
            *_node("a")[:3],
            RunFailed(run_id=_RUN, error=error),
            *_run("a", attempt=2),
            *_node("a", attempt=2),
            RunCompleted(run_id=_RUN, attempt=2),
            *closed,
        ],
    )
    yield (
        "resumed",
        [
            *_begun(),
            SessionResumed(parent_session_id="2026-11-21T05.11.32.123Z", done=("a",)),
            *_run("b"),
            *_node("b"),
            RunCompleted(run_id=_RUN),
            *closed,
        ],
    )
    yield (
        "gap-repair-note-misfit",
        [
            *_begun(),
            *_run("a", "b"),
            JournalGap(dropped=3, kept=1, reason="No space left on device"),
            JournalRepaired(offset=10, length=4),
            NoteAdded(text="look here", fields={"n": 1}, node="a"),
            NodeStarted(run_id=None, node="a"),
            NodeCompleted(run_id="none", node="a"),
            RunCompleted(run_id=_RUN),
            *closed,
        ],
    )


# -- journals of real runs --------------------------------------------------------------

_PROJECT: Final = {
    "pyproject.toml": """
        [tool.kedro]
        package_name = "forecast"
        project_name = "Forecast"
        kedro_init_version = "1.0.0"
        source_dir = "src"
        """,
    "src/forecast/__init__.py": '__version__ = "0.1"\n',
    "src/forecast/settings.py": """
        import os
        if os.environ.get("LEVEL") == "1":
            from kedro_journal.session import KedroSession as SESSION_CLASS
        """,
    "src/forecast/pipeline_registry.py": """
        import os, signal, time
        from pathlib import Path
        from kedro.io import AbstractDataset
        from kedro.pipeline import Node, Pipeline

        class Text(AbstractDataset):
            def __init__(self, filepath, metadata=None):
                self._filepath = Path(filepath)
            def _load(self):
                return self._filepath.read_text()
            def _save(self, data):
                self._filepath.write_text(data)
            def _describe(self):
                return {}

        def clean(p):
            return f"clean {p}"
        def train(text):
            match os.environ.get("DIE"):
                case "raise":
                    raise ValueError("told to")
                case "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "interrupt":
                    raise KeyboardInterrupt
                case "wait":
                    Path("waiting").touch()
                    time.sleep(60)
            return f"model of {text}"
        def report(model):
            return f"report on {model}"
        def register_pipelines():
            return {"__default__": Pipeline([
                Node(clean, "params:p", "table", name="clean", tags="prepare"),
                Node(train, "table", "model", name="train"),
                Node(report, "model", "report", name="report", namespace=None),
            ])}
        """,
    "conf/base/parameters.yml": "p: 1\n",
    "conf/local/.keep": "",
    "data/.keep": "",
    "conf/base/catalog.yml": """
        table: {type: forecast.pipeline_registry.Text, filepath: data/table.txt}
        model: {type: forecast.pipeline_registry.Text, filepath: data/model.txt}
        report: {type: forecast.pipeline_registry.Text, filepath: data/report.txt}
        """,
}
_STORIES: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("completed", "", ()),
    ("threads", "", ("--runner", "ThreadRunner")),
    ("processes", "", ("--runner", "ParallelRunner")),
    ("failed", "raise", ("--params", "p=2")),
    ("killed", "kill", ()),
    ("interrupted", "interrupt", ()),
    ("terminated", "wait", ()),
)


def real(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run a real project at both levels; give its journals by name."""
    for level in ("0", "1"):
        for name, die, arguments in _STORIES:
            root = folder / f"{level}-{name}" / "forecast"
            for path, text in _PROJECT.items():
                file = root / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(textwrap.dedent(text).lstrip())
            _kedro(root, level, die, ["kedro", "run", *arguments])
            yield f"real-{name}-level-{level}", _newest(root)
            if name == "killed" and level == "1":
                _kedro(root, level, "", ["kedro_journal", "resume"])
                yield "real-resumed-level-1", _newest(root)


def _newest(root: Path) -> Path:
    return max(root.glob("sessions/*/journal.jsonl"))


def _kedro(root: Path, level: str, die: str, arguments: list[str]) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KEDRO")}
    environ = {**kept, "LEVEL": level, "DIE": die, "DO_NOT_TRACK": "1"}
    environ["GIT_CEILING_DIRECTORIES"] = str(root.parent)
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=root,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while die == "wait" and process.poll() is None:
        if (root / "waiting").exists():
            process.send_signal(signal.SIGTERM)
            break
        time.sleep(0.05)
    process.wait(timeout=120)


def impersonal(path: Path) -> bytes:
    """Give a real journal without this machine's names and places."""
    root = str(path.parents[2])
    names = {
        root: "/home/ada/forecast",
        str(Path(root).parents[1]): "/tmp",
        str(Path(__file__).parents[2]): "/opt/kedro-journal",
        sys.prefix: "/opt/venv",
        sys.base_prefix: "/usr",
        socket.gethostname(): "workstation",
    }
    lines, prev = [], "00000000"
    for record in read(path):
        event = _impersonal(record, names)
        line, prev = seal(
            seq=record.seq,
            at=timestamp(record.at),
            writer=record.writer,
            prev=prev,
            event=event,
            data=encode_event(event),
        )
        lines.append(line)
    return b"".join(lines)


def _impersonal(record: Record, names: dict[str, str]) -> Event:
    def walk(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {walk(k): walk(v, k) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [walk(one, key) for one in value]
        if not isinstance(value, str):
            return value
        if key == "user" and value == getpass.getuser():
            return "ada"
        if key == "boot_id":
            return "00000000-0000-4000-8000-000000000000"
        for old, new in names.items():
            value = value.replace(old, new)
        return value

    cls = type(record.event)
    data = msgspec.to_builtins(record.event)
    if data.get("container"):
        data["container"] = None
    return msgspec.convert(walk(data), cls)


# -- a release --------------------------------------------------------------------------


def make(release: Path) -> None:
    """Make the folder of a release."""
    for path, text in published().items():
        file = release / "schema" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    folder = release / "journals"
    folder.mkdir(parents=True)
    for name, events in made_up():
        (folder / f"{name}.jsonl").write_bytes(sealed(events))
    with tempfile.TemporaryDirectory() as place:
        for name, path in real(Path(place)):
            (folder / f"{name}.jsonl").write_bytes(impersonal(path))
    for path in journals_of(release):
        path.with_suffix(".state.json").write_text(state_text(fold(read(path))))
    (release / SUMS).write_text(sums(release))


def sums(release: Path) -> str:
    """Give the checksum of every file of a release, a line each."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  "
        f"{path.relative_to(release).as_posix()}\n"
        for path in sorted(release.rglob("*"))
        if path.is_file() and path.name != SUMS
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version")
    parser.add_argument("--again", action="store_true", help="it is not published yet")
    given = parser.parse_args()
    release = RELEASES / given.version
    if release.exists():
        if not given.again:
            sys.exit(f"{release} is there: a release is never altered")
        shutil.rmtree(release)
    make(release)
    sys.stdout.write(f"{release}: {len(journals_of(release))} journals\n")


if __name__ == "__main__":
    main()
