"""What `show` and `list` say of every kind of ending: the table in the docs.

`python -m tests.views.statements` writes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from kedro_journal.events import (
    CommandLine,
    DatasetConfirming,
    Entry,
    ErrorInfo,
    JournalGap,
    NodeFailed,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    SessionClosed,
    SessionFailed,
    SessionResumed,
    UnknownEvent,
    WriterOpened,
)
from kedro_journal.state import SessionState
from kedro_journal.views import Screen
from kedro_journal.views.sessions import Listed, broke
from kedro_journal.views.terminal import Line
from kedro_journal.views.verdict import verdict_lines

from .conftest import RUN, Story

PAGE: Final = Path(__file__).parents[2] / "docs/concepts/endings.md"
_BLOCK: Final = re.compile(
    r"(<!-- statements -->\n).*?(<!-- end statements -->)", re.DOTALL
)
_OF: Final[dict[str, Any]] = {"run_id": RUN, "node": "train"}
VALUE: Final = ErrorInfo(type="ValueError", message="bad shape")
WRAPPED: Final = ErrorInfo(
    type="kedro.io.core.DatasetError",
    message="Failed while loading data from dataset",
    cause=ErrorInfo(type="KeyError", message="'price'"),
)
POOL: Final = ErrorInfo(
    type="concurrent.futures.process.BrokenProcessPool",
    message="A process in the process pool was terminated abruptly",
)
UNREAD: Final = ErrorInfo(
    type=POOL.type,
    message=POOL.message,
    remote="Traceback (most recent call last):\n"
    '  File "connection.py", line 251, in recv\n'
    "    return _ForkingPickler.loads(buf.getbuffer())\n"
    "TypeError: __init__() missing 1 required positional argument: 'code'\n",
)
_Step = Callable[[Story], object]


class Statement(NamedTuple):
    """An ending, and how its records look.

    Attributes:
        name: What happened, for a reader.
        steps: They tell the story of it.
        liveness: What a reader finds of its process.
    """

    name: str
    steps: tuple[_Step, ...]
    liveness: str | None = None

    def state(self) -> SessionState:
        """Return the state that the records add up to."""
        story = Story().created(command=CommandLine(name="run", argv=("kedro", "run")))
        for step in self.steps:
            step(story)
        return story.state(self.liveness)


def _tell(*events: Entry | Any) -> _Step:
    return lambda story: story.tell(*events)


def _node(name: str, upto: str = "completed") -> _Step:
    return lambda story: story.node(name, upto)


def _worker(name: str, upto: str, writer: str, pid: int) -> _Step:
    def step(story: Story) -> None:
        before, story.tell = story.tell, _written_by(story, writer)  # type: ignore[method-assign]
        story.tell(WriterOpened(pid=pid, host="mill", role="worker"))
        story.node(name, upto)
        story.tell = before  # type: ignore[method-assign]

    return step


def _written_by(story: Story, writer: str) -> Any:
    return lambda *events: Story.tell(story, *events, writer=writer)


def _started(story: Story) -> None:
    story.started("split", "train")


SPLIT: Final = (_started, _node("split"))
CLOSED: Final = _tell(SessionClosed(exit_code=1))
DONE: Final = _tell(RunCompleted(run_id=RUN, duration_s=9.0), SessionClosed())
GAP: Final = _tell(JournalGap(dropped=12, reason="disk full"))
UNKNOWN: Final = _tell(UnknownEvent(type="node.cached"))


def _failed(error: ErrorInfo, phase: str = "running", **more: Any) -> _Step:
    return _tell(
        NodeFailed(**_OF, error=error, phase=phase, duration_s=1.25),
        RunFailed(run_id=RUN, error=error, duration_s=8.0, **more),
    )


def _run_failed(error: ErrorInfo, **more: Any) -> _Step:
    return _tell(RunFailed(run_id=RUN, error=error, duration_s=8.0, **more))


def _stopped(reason: str, signal: int | None = None) -> _Step:
    return _tell(
        RunInterrupted(run_id=RUN, reason=reason, signal=signal, duration_s=8.0),
        SessionClosed(),
    )


def _early(phase: str, error: ErrorInfo = VALUE) -> tuple[_Step, ...]:
    return (_tell(SessionFailed(error=error, phase=phase)), CLOSED)


def _soft(story: Story) -> None:
    story.tell(NodeFailed(**_OF, error=VALUE, duration_s=1.25))


RUNNING: Final = (*SPLIT, _node("train", "running"))
STATEMENTS: Final = (
    Statement("every node completed", (*SPLIT, _node("train"), DONE)),
    Statement("a node was not run", (*SPLIT, DONE)),
    Statement("completed with a gap in the journal", (*SPLIT, GAP, DONE)),
    Statement("all completed, and a gap", (*SPLIT, _node("train"), GAP, DONE)),
    Statement("completed with unknown events of nodes", (*SPLIT, UNKNOWN, DONE)),
    Statement(
        "completed with an unknown event of the session",
        (
            *SPLIT,
            _node("train"),
            _tell(UnknownEvent(type="session.pinned")),
            DONE,
        ),
    ),
    Statement(
        "the runner went on without a node",
        (*SPLIT, _node("train", "running"), _soft, DONE),
    ),
    Statement("a node raised", (*RUNNING, _failed(VALUE), CLOSED)),
    Statement(
        "a load failed",
        (*SPLIT, _node("train", "loading"), _failed(WRAPPED, "loading"), CLOSED),
    ),
    Statement(
        "a save failed",
        (*SPLIT, _node("train", "saving"), _failed(WRAPPED, "saving"), CLOSED),
    ),
    Statement(
        "a load failed in a worker",
        (*SPLIT, _worker("train", "loading", "w2", 77), _run_failed(WRAPPED), CLOSED),
    ),
    Statement(
        "the run failed before its first node", (_started, _run_failed(VALUE), CLOSED)
    ),
    Statement("the run failed, with a gap", (*SPLIT, GAP, _run_failed(VALUE), CLOSED)),
    Statement(
        "a worker was killed",
        (*SPLIT, _worker("train", "running", "w2", 77), _run_failed(POOL), CLOSED),
    ),
    Statement(
        "a worker was killed, and the kernel counts one",
        (
            *SPLIT,
            _worker("train", "running", "w2", 77),
            _run_failed(POOL, oom_kills=1),
            CLOSED,
        ),
    ),
    Statement(
        "a worker was killed, and the kernel counts none",
        (
            *SPLIT,
            _worker("train", "running", "w2", 77),
            _run_failed(POOL, oom_kills=0),
            CLOSED,
        ),
    ),
    Statement(
        "one of two workers was killed",
        (
            _started,
            _worker("split", "loading", "w2", 77),
            _worker("train", "running", "w3", 78),
            _run_failed(POOL),
            CLOSED,
        ),
    ),
    Statement(
        "a worker raised an exception that cannot be unpickled",
        (
            *SPLIT,
            _worker("train", "running", "w2", 77),
            _soft,
            _run_failed(UNREAD),
            CLOSED,
        ),
    ),
    Statement(
        "a worker's result cannot be unpickled",
        (*SPLIT, _worker("train", "running", "w2", 77), _run_failed(UNREAD), CLOSED),
    ),
    Statement(
        "SIGTERM before the run started",
        (_tell(SessionClosed(reason="signal")),),
    ),
    Statement("the session failed when it was created", _early("create")),
    Statement("the configuration does not parse", _early("context")),
    Statement("there is no such pipeline", _early("run")),
    Statement("the session's block raised", _early("body")),
    Statement("the command failed before a session", _early("command")),
    Statement(
        "Ctrl-C while the command read the project",
        _early("command", ErrorInfo(type="KeyboardInterrupt")),
    ),
    Statement(
        "a hook failed after the run",
        (
            *SPLIT,
            _node("train"),
            _tell(RunCompleted(run_id=RUN, duration_s=9.0)),
            *_early("after the run"),
        ),
    ),
    Statement("Ctrl-C", (*RUNNING, _stopped("KeyboardInterrupt"))),
    Statement("`sys.exit()` in a node", (*RUNNING, _stopped("SystemExit"))),
    Statement("SIGTERM", (*RUNNING, _stopped("SIGTERM", 15))),
    Statement("SIGHUP: the terminal was closed", (*RUNNING, _stopped("SIGHUP", 1))),
    Statement("Ctrl-C between two nodes", (*SPLIT, _stopped("KeyboardInterrupt"))),
    Statement(
        "closed in the middle of a run", (*RUNNING, _tell(SessionClosed(reason="exit")))
    ),
    Statement("killed before a run", (), "crashed"),
    Statement("killed in a node", RUNNING, "crashed"),
    Statement("killed while loading", (*SPLIT, _node("train", "loading")), "crashed"),
    Statement("killed while saving", (*SPLIT, _node("train", "saving")), "crashed"),
    Statement(
        "killed while confirming",
        (
            *SPLIT,
            _node("train", "saving"),
            _tell(DatasetConfirming(dataset="table", **_OF)),
        ),
        "crashed",
    ),
    Statement("killed between two nodes", SPLIT, "crashed"),
    Statement("killed after a gap", (*RUNNING, GAP), "crashed"),
    Statement(
        "killed after the run",
        (*SPLIT, _node("train"), _tell(RunCompleted(run_id=RUN, duration_s=9.0))),
        "crashed",
    ),
    Statement("on another machine", RUNNING, "unknown"),
    Statement("it is running a node", RUNNING, "running"),
    Statement("it is saving", (*SPLIT, _node("train", "saving")), "running"),
    Statement("it runs, and no run has started", (), "running"),
    Statement("it runs, and its run failed", (*RUNNING, _failed(VALUE)), "running"),
    Statement("nothing was run", (_tell(SessionClosed()),)),
    Statement(
        "a resume that ran nothing",
        (_tell(SessionResumed(parent_session_id="2026-11-21T09"), SessionClosed()),),
    ),
    Statement(
        "the nodes were left to other processes",
        (_started, _tell(SessionClosed(reason="elsewhere"))),
    ),
    Statement(
        "the end of the run is of a newer version",
        (
            *RUNNING,
            _tell(UnknownEvent(type="run.completed", version=2), SessionClosed()),
        ),
    ),
    Statement(
        "a node failed, then completed in a second attempt of its run",
        (
            *RUNNING,
            _failed(VALUE),
            lambda story: story.started("split", "train", attempt=2),
            lambda story: story.node("split", attempt=2).node("train", attempt=2),
            _tell(RunCompleted(run_id=RUN, attempt=2, duration_s=1.0), SessionClosed()),
        ),
    ),
)


def shown(one: Statement) -> tuple[str, str, str]:
    """Return the verdict, the sentences of `show` and the last column of `list`."""
    state = one.state()
    assert state.created_at is not None
    screen = Screen(now=state.created_at + timedelta(hours=1), tz=UTC)
    sentences = " ".join(map(_text, verdict_lines(state, screen, {})))
    return state.verdict, sentences, _text(broke(Listed(state)))


def _text(line: Line) -> str:
    return "".join(span.text for span in line).strip()


def page(text: str) -> str:
    """Return the page with the table as it is now."""

    def block(found: re.Match[str]) -> str:
        rows = "\n".join(_rows())
        return f"{found[1]}{rows}\n{found[2]}"

    return _BLOCK.sub(block, text)


def _rows() -> Iterator[str]:
    yield "| what happened | verdict | `show` says | `list`, where |"
    yield "| --- | --- | --- | --- |"
    for one in STATEMENTS:
        verdict, sentences, where = shown(one)
        yield f"| {one.name} | {verdict} | {sentences} | {where or '-'} |"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
