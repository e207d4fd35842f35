"""What this process knows of the runs it is in: enough to tell done from begun.

Kedro says when a function returned and when each output was saved, but not when a node
is done; and dataset hooks do not say which run they belong to. Both are worked out
here, from what was seen, never guessed.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from kedro_journal._clock import monotonic_s
from kedro_journal.active import Active, Bound, Where, bind, bound
from kedro_journal.capture import compat
from kedro_journal.capture.fingerprints import FingerprintReader
from kedro_journal.capture.memory_kills import oom_kills
from kedro_journal.capture.process import Origin
from kedro_journal.events import Event

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
        """Return which run this thread is in; its session stays what it was."""
        self.keep()
        bind(self._before.session, where)

    def restore(self) -> None:
        """Bind it to what it was bound to before."""
        bind(*self._before)


class NodeProgress:
    """One node being run by this process.

    Attributes:
        where: Where its code is, once that was said. Not the session: nothing may hold
            one that its user has dropped.
    """

    def __init__(self, node: Any) -> None:
        self.binding = Binding()
        self.where: Where | None = None
        self.phase = "loading"
        self.thread = threading.get_ident()
        self.started_s = monotonic_s()
        self.outputs_left = set(node.outputs)
        self.chunked = compat.is_generator_node(node)
        # Datasets that Kedro is yet to confirm, where their confirmations are seen.
        self.confirms_left: list[str] = []
        self.on_end: Callable[[], None] | None = None
        self._open: dict[tuple[str, str], float] = {}

    @property
    def is_saved(self) -> bool:
        """Every output is saved, as far as Kedro tells."""
        return not self.outputs_left and not self.chunked

    def leave(self) -> None:
        """The node is over, or its run is: undo what was set up for it."""
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end()

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
        self.oom_kills = oom_kills()  # the counter at its start
        self.nodes: dict[str, NodeProgress] = {}
        self.loaded: set[str] = set()  # whose fingerprint is recorded
        self.fingerprints: FingerprintReader | None = None
        self.completed: set[str] = set()
        self.failed: set[str] = set()  # and not tried again
        self.raised: list[BaseException] = []
        self.chunked: set[str] = set()
        self.outputs: tuple[str, ...] = ()  # datasets that no node of it loads
        self.by_others = False  # no `run` of Kedro's sessions called the hooks
        self.sequential = False
        self.stops_at_failure = False
        self.in_process = False
        self.thread = threading.get_ident()
        self.origin = Origin()  # the process that may say how it ended
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
        self.fingerprints = None
        self.binding = Binding()
        self.losses = None

    def gaps(self) -> list[Event]:
        """What its workers could not write, to be recorded."""
        gap = self.losses.take() if self.losses is not None else None
        return [] if gap is None else [gap]

    @property
    def is_elsewhere(self) -> bool:
        """The caller of the hooks seems to give the nodes to other processes."""
        return self.by_others and not self.nodes and not self.completed

    @property
    def broke_unsaid(self) -> BaseException | None:
        """The failure of a node after which the caller of the hooks ended no run."""
        if not (self.by_others and self.failed and self.raised):
            return None
        return self.raised[-1]

    def where(self, session_id: str, node: str | None = None) -> Where:
        """Return where code is that runs for it, or for a node of it."""
        return Where(session_id, self.run_id, self.attempt, node)

    def elapsed_s(self) -> float:
        """Seconds since it started."""
        return monotonic_s() - self.started_s

    def try_again(self, name: str) -> None:
        """Forget the last try at a node if its runner begins another one.

        Kedro does not tell of a save that failed.
        """
        found = self.nodes.get(name)
        if found is not None and found.phase != "loading":
            del self.nodes[name]
            found.leave()
            found.binding.restore()
        self.failed.discard(name)

    def progress(self, node: Any, name: str) -> NodeProgress:
        """Return the progress of a node of that name, begun if it is new."""
        found = self.nodes.get(name)
        if found is None:
            found = self.nodes[name] = NodeProgress(node)
        return found


def key_of(run: ActiveRun | None) -> dict[str, Any]:
    """Return the fields by which events name a run, or one that is not known."""
    return {"run_id": None} if run is None else run.key


class RunBook:
    """The active runs of one session in this process. Safe between threads.

    A forked child finds the runs of its parent here. It may run nodes of them, as the
    workers of a runner that forks do, but it may not end them. A child that was forked
    inside a node does nothing for these runs, wherever its code goes on.

    Args:
        of: The book of the same session whose attempts are counted on.

    Attributes:
        attempts: How often each run id was started.
        begun: How many runs this book began.
    """

    _live: Final[weakref.WeakSet[RunBook]] = weakref.WeakSet()

    def __init__(self, of: RunBook | None = None) -> None:
        self._lock = threading.RLock()
        self._forked_in: set[str] = set()
        self._live.add(self)
        self._active: dict[tuple[str | None, int], ActiveRun] = {}
        self.attempts: dict[str | None, int] = of.attempts if of else {}
        self.begun = 0
        self._of = of
        self._last_origin: Origin | None = None
        self._here = threading.local()

    def start(self, run_id: str | None, catalog: Any) -> ActiveRun:
        """Begin a run; Kedro uses an id again when a failed run is retried."""
        with self._lock:
            attempt = self.attempts.get(run_id, 0) + 1
            self.attempts[run_id] = attempt
            self.begun += 1
            run = ActiveRun(run_id, attempt, catalog)
            self._active[run_id, attempt] = run
            for book in (self, self._of):
                if book is not None:
                    book._last_origin = run.origin  # noqa: SLF001 - of this class
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
        """Return the runs of this process that have not ended."""
        with self._lock:
            return [run for run in self._active.values() if run.origin.is_here]

    def own(self, run_id: str | None) -> ActiveRun | None:
        """Return the run that `by_id` returns if this process may end it."""
        run = self.by_id(run_id)
        return run if run is not None and run.origin.is_here else None

    def take_over(self) -> None:
        """Make the runs of the parent runs of this process, which goes on with them."""
        with self._lock:
            for run in self._active.values():
                run.origin = self._last_origin = Origin()

    @property
    def has_begun_here(self) -> bool:
        """Whether this process began the last run, or took it over."""
        return self._last_origin is not None and self._last_origin.is_here

    @classmethod
    def reset_in_child(cls) -> None:
        """Note in every book of a forked child where the fork happened."""
        for book in list(cls._live):
            book.note_fork()

    def note_fork(self) -> None:
        """Note where the fork happened; forget the nodes of the parent's threads."""
        self._lock = threading.RLock()  # another thread may have held it
        here, thread = bound().where, threading.get_ident()
        for key, run in self._active.items():
            if here is not None and here.node and (here.run_id, here.attempt) == key:
                self._forked_in.add(here.node)
            self._forked_in.update(
                name for name, node in run.nodes.items() if node.thread == thread
            )
            run.nodes = {}

    @property
    def is_forked_in_node(self) -> bool:
        """Whether this process was forked inside a node of one of these runs."""
        return bool(self._forked_in)

    def was_forked_in(self, node: str) -> bool:
        """Return whether this process was forked inside that node."""
        return node in self._forked_in

    def by_id(self, run_id: str | None) -> ActiveRun | None:
        """Return the active run of that id; None if there is none, or several.

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
        """Return whether this thread goes on with a node that it must not speak for.

        The node's run was interrupted and is over: a runner waits for its threads, but
        an interruption may cut that short. Or the run is one of the process that forked
        this one inside a node.
        """
        if self._forked_in and not self.active():
            return True
        mine: ActiveRun | None = getattr(self._here, "run", None)
        if mine is None or not mine.is_over:
            return False
        if not self._active:
            return True
        begun_here = _run_here.get(None) in self._active.values()
        return not begun_here and bool(self._here.node == node.name)

    def of_dataset_call(self, node: Any) -> ActiveRun | None:
        """Return which run a dataset hook belongs to; None if that cannot be known.

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


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=RunBook.reset_in_child)
