"""What this process knows of the runs it is in: enough to tell done from begun.

Kedro says when a function returned and when each output was saved, but not when a node
is done; and dataset hooks do not say which run they belong to. Both are worked out
here, from what was seen, never guessed.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any, Final

from kedro_journal._clock import monotonic_s
from kedro_journal.events import Event
from kedro_journal.replay.active import Active, Bound, Where, bind, bound

from . import compat
from .losses import Losses

__all__ = ["ActiveRun", "NodeProgress", "RunBook", "key_of"]

_run_here: Final[ContextVar[ActiveRun | None]] = ContextVar("kedro_journal_run")


class Binding:
    """Which session this thread was bound to before, for nodes that run others."""

    def __init__(self) -> None:
        self._before = Bound()
        self._kept = False

    def keep(self) -> None:
        """Remember what is bound now; the first time counts."""
        if not self._kept:
            self._before, self._kept = bound(), True

    def bind(self, session: Active, where: Where) -> None:
        """Bind this thread to the session of a node, and the node."""
        self.keep()
        if bound().where is not where:  # else it was said before
            bind(session, where)

    def locate(self, where: Where) -> None:
        """Say which run this thread is in; its session stays what it was."""
        self.keep()
        bind(self._before.session, where)

    def restore(self) -> None:
        """Bind it to what it was bound to before."""
        bind(*self._before)


class NodeProgress:
    """One node being run by this process.

    Attributes:
        where: Where its code is, once that was said. Not the session: nobody may hold
            one that its user has dropped.
    """

    def __init__(self, node: Any) -> None:
        self.binding = Binding()
        self.where: Where | None = None
        self.phase = "loading"
        self.started_s = monotonic_s()
        self.outputs_left = set(node.outputs)
        self.chunked = compat.is_generator_node(node)
        self._open: dict[tuple[str, str], float] = {}

    def begin(self, kind: str, dataset: str) -> None:
        """A load or save begins."""
        self._open[kind, dataset] = monotonic_s()

    def end(self, kind: str, dataset: str) -> float | None:
        """It ended: give the seconds it took."""
        began = self._open.pop((kind, dataset), None)
        return None if began is None else monotonic_s() - began

    def elapsed_s(self) -> float:
        """Seconds since the node's function was called."""
        return monotonic_s() - self.started_s

    @property
    def open_dataset(self) -> str | None:
        """The dataset it is at, None if it is at none or several."""
        names = [dataset for _, dataset in self._open]
        return names[0] if len(names) == 1 else None

    @property
    def is_at_dataset(self) -> bool:
        """A load or save was begun and has not ended."""
        return bool(self._open)


class ActiveRun:
    """A run that was started and has not ended."""

    def __init__(self, run_id: str | None, attempt: int, catalog: Any = None) -> None:
        self.run_id = run_id
        self.attempt = attempt
        # The fields by which events name it.
        self.key: Final[dict[str, Any]] = {"run_id": run_id, "attempt": attempt}
        self.catalog = catalog
        self.binding = Binding()
        self.started_s = monotonic_s()
        self.nodes: dict[str, NodeProgress] = {}
        self.completed: set[str] = set()
        self.raised: list[BaseException] = []
        self.chunked: set[str] = set()
        self.outputs: tuple[str, ...] = ()  # datasets that no node of it loads
        self.by_others = False  # no `run` of Kedro's sessions called the hooks
        self.sequential = False
        self.in_process = False
        self.thread = threading.get_ident()
        self.is_over = False
        self.losses: Losses | None = None  # of its workers

    def release(self) -> None:
        """Drop everything of the user's: the run has ended.

        Threads and contexts may refer to this object for as long as they live.
        """
        self.is_over = True
        self.catalog = None
        self.raised.clear()
        self.nodes.clear()
        self.binding = Binding()
        self.losses = None

    def gaps(self) -> list[Event]:
        """What its workers could not write, to be put on record."""
        gap = self.losses.take() if self.losses is not None else None
        return [] if gap is None else [gap]

    @property
    def is_elsewhere(self) -> bool:
        """Whoever called the hooks gives the nodes to other processes, it seems."""
        return self.by_others and not self.nodes and not self.completed

    def where(self, session_id: str, node: str | None = None) -> Where:
        """Say where code is that runs for it, or for a node of it."""
        return Where(session_id, self.run_id, self.attempt, node)

    def elapsed_s(self) -> float:
        """Seconds since it started."""
        return monotonic_s() - self.started_s

    def progress(self, node: Any, name: str) -> NodeProgress:
        """Give the progress of a node of that name, begun if it is new."""
        found = self.nodes.get(name)
        if found is None:
            found = self.nodes[name] = NodeProgress(node)
        return found


def key_of(run: ActiveRun | None) -> dict[str, Any]:
    """Give the fields by which events name a run, or one that is not known."""
    return {"run_id": None} if run is None else run.key


class RunBook:
    """The active runs of one session in this process. Safe between threads.

    Args:
        of: The book of the same session whose attempts are counted on.

    Attributes:
        attempts: How often each run id was started.
        begun: How many runs this book began.
    """

    def __init__(self, of: RunBook | None = None) -> None:
        self._lock = threading.RLock()
        self._active: dict[tuple[str | None, int], ActiveRun] = {}
        self.attempts: dict[str | None, int] = of.attempts if of else {}
        self.begun = 0
        self._here = threading.local()

    def start(self, run_id: str | None, catalog: Any) -> ActiveRun:
        """Begin a run; Kedro uses an id again when a failed run is retried."""
        with self._lock:
            attempt = self.attempts.get(run_id, 0) + 1
            self.attempts[run_id] = attempt
            self.begun += 1
            run = ActiveRun(run_id, attempt, catalog)
            self._active[run_id, attempt] = run
        _run_here.set(run)
        return run

    def adopt(self, run_id: str | None, attempt: int) -> ActiveRun:
        """Join a run that another process started."""
        with self._lock:
            run = self._active.get((run_id, attempt))
            if run is None:
                run = self._active[run_id, attempt] = ActiveRun(run_id, attempt)
            return run

    def keep_only(self, keys: set[tuple[str | None, int]]) -> None:
        """Forget the runs that another process no longer hands over."""
        with self._lock:
            over = [run for key, run in self._active.items() if key not in keys]
            self._active = {k: r for k, r in self._active.items() if k in keys}
        for run in over:
            run.release()

    def end(self, run: ActiveRun) -> None:
        """A run ended."""
        with self._lock:
            self._active.pop((run.run_id, run.attempt), None)
        if _run_here.get(None) is run:
            _run_here.set(None)

    def active(self) -> list[ActiveRun]:
        """Give the runs that have not ended."""
        with self._lock:
            return list(self._active.values())

    def by_id(self, run_id: str | None) -> ActiveRun | None:
        """Give the active run of that id; None if there is none, or several.

        Kedro's ids have milliseconds: two runs that a server starts at once can share
        one. The thread that began a run still knows its own.
        """
        here = _run_here.get(None)
        if here is not None and here.run_id == run_id and self._has(here):
            return here
        with self._lock:
            found = [run for key, run in self._active.items() if key[0] == run_id]
        return found[0] if len(found) == 1 else None

    def _has(self, run: ActiveRun) -> bool:
        return self._active.get((run.run_id, run.attempt)) is run

    def enter_node(self, run: ActiveRun, name: str) -> None:
        """This thread runs that node of that run; its saves will come from here."""
        self._here.node, self._here.run = name, run

    def is_left_behind(self, node: Any) -> bool:
        """This thread goes on with a node whose run was interrupted and is over.

        A runner waits for its threads, but an interruption may cut that short.
        """
        mine: ActiveRun | None = getattr(self._here, "run", None)
        if mine is None or not mine.is_over:
            return False
        if not self._active:
            return True
        begun_here = _run_here.get(None) in self._active.values()
        return not begun_here and bool(self._here.node == node.name)

    def of_dataset_call(self, node: Any) -> ActiveRun | None:
        """Tell which run a dataset hook belongs to; None if that cannot be known.

        Kedro does not say. Known is: this thread began the run; or this thread is in
        that node; or there is only one.
        """
        run = _run_here.get(None)
        if run is not None and self._has(run):
            return run
        with self._lock:
            active = list(self._active.values())
        mine: ActiveRun | None = getattr(self._here, "run", None)
        if mine in active and getattr(self._here, "node", None) == node.name:
            return mine
        return active[0] if len(active) == 1 else None
