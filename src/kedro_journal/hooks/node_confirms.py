"""The events of a node's confirmations; `confirms` says how they are seen."""

from __future__ import annotations

import threading
from typing import Any

from kedro_journal.capture import compat
from kedro_journal.capture import fields as capture
from kedro_journal.capture.checkpoints import checkpoint_sha256
from kedro_journal.capture.confirms import unwatch_confirms, watch_confirms
from kedro_journal.events import (
    DatasetConfirmed,
    DatasetConfirming,
    Event,
    NodeCompleted,
)
from kedro_journal.recording.link import Link, Shield
from kedro_journal.recording.progress import ActiveRun, NodeProgress

from .other_plugins import SeesOthersInRuns
from .run_endings import node_failed

__all__ = ["ConfirmHooks"]


class ConfirmHooks(SeesOthersInRuns):
    """The part of the hooks that records confirmations."""

    _link: Link
    _shield: Shield
    _lenient: Shield

    def _completed(
        self, run: ActiveRun, name: str, progress: NodeProgress
    ) -> NodeCompleted:
        raise NotImplementedError

    def watch_confirms(
        self, run: ActiveRun, node: Any, progress: NodeProgress, catalog: Any
    ) -> None:
        """Record the confirmations of a node until it is over.

        Where the catalog does not allow that, the node is complete with its last save.
        """
        names = compat.node_confirms(node)
        if not names or progress.confirms_left or catalog is None:
            return
        watcher = _NodeConfirms(self, run, node.name, progress)
        if watch_confirms(catalog, watcher):
            progress.confirms_left = list(names)
            progress.on_end = lambda: unwatch_confirms(catalog, watcher)

    def confirming(
        self, run: ActiveRun, name: str, progress: NodeProgress, dataset: str
    ) -> bool:
        """A confirmation begins; return whether it is one of Kedro's for the node."""
        saved = progress.is_saved or (progress.chunked and progress.phase == "saving")
        if run.is_over or not saved or dataset not in progress.confirms_left:
            return False
        progress.phase = "confirming"
        progress.begin("confirm", dataset)
        with self._shield:
            recorder = self._link.recorder
            if recorder is not None:
                before = checkpoint_sha256(run.catalog, dataset)
                event = DatasetConfirming(
                    **run.key, node=name, dataset=dataset, checkpoint_sha256=before
                )
                recorder.record(event)
        return True

    def confirmed(
        self, run: ActiveRun, name: str, progress: NodeProgress, dataset: str
    ) -> None:
        """A confirmation succeeded; with the last of them, the node is complete."""
        with self._shield:
            duration_s = progress.end("confirm", dataset)
            progress.confirms_left.remove(dataset)
            done = DatasetConfirmed(
                **run.key, node=name, dataset=dataset, duration_s=duration_s
            )
            events: list[Event] = [done]
            if not progress.confirms_left:
                events.append(self._completed(run, name, progress))
            recorder = self._link.recorder
            if recorder is not None:
                recorder.record(*events)

    def not_confirmed(
        self, run: ActiveRun, name: str, progress: NodeProgress, error: Exception
    ) -> None:
        """A confirmation raised: the node failed."""
        with self._lenient:
            run.raised.append(error)
            run.failed.add(name)
            run.nodes.pop(name, None)
            progress.leave()
            recorder = self._link.recorder
            if recorder is not None:
                info = capture.error_info(error, self._link.project_path)
                recorder.record(node_failed(run, name, progress, info, recorder))
            progress.binding.restore()


class _NodeConfirms:
    """Return the hooks of confirmations that the thread of one node makes."""

    def __init__(
        self, hooks: ConfirmHooks, run: ActiveRun, name: str, progress: NodeProgress
    ) -> None:
        self._hooks = hooks
        self._of = (run, name, progress)
        self._thread = threading.get_ident()

    def confirming(self, name: str) -> bool:
        mine = threading.get_ident() == self._thread
        return mine and self._hooks.confirming(*self._of, name)

    def confirmed(self, name: str) -> None:
        self._hooks.confirmed(*self._of, name)

    def not_confirmed(self, name: str, error: Exception) -> None:
        del name
        self._hooks.not_confirmed(*self._of, error)
