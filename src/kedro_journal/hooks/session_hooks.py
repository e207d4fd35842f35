"""Kedro hook call -> event. One object for each session, or for each of its runs.

Registered first in line, so that what happened is recorded before another plugin may
raise about it. Loads and saves are recorded after the other plugins, which may change
what is stored; they are recorded also if one of those raises. Nothing here ever raises
into Kedro, unless `strict` asks for it.

Longer than other modules: a method for each hook of Kedro, and they share their state.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator, Iterable
from typing import Any, Literal

from kedro.framework.hooks import hook_impl

from kedro_journal.active import Where, bind
from kedro_journal.capture import compat
from kedro_journal.capture import fields as capture
from kedro_journal.capture.configuration import context_loaded
from kedro_journal.capture.runner import current_runner
from kedro_journal.capture.stored import input_versions, secret_values
from kedro_journal.events import (
    ContextLoaded,
    DatasetLoading,
    DatasetSaving,
    Event,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    SessionFailed,
)
from kedro_journal.events.base import ErrorInfo
from kedro_journal.recording.link import Link, Shield
from kedro_journal.recording.log_records import listen_again
from kedro_journal.recording.progress import ActiveRun, NodeProgress, RunBook, key_of
from kedro_journal.recording.recorder import Recorder

from .dataset_ends import loaded, saved
from .node_confirms import ConfirmHooks
from .other_plugins import raised
from .run_endings import node_failed, run_completed, run_failed, run_interrupted
from .run_plan import run_started
from .worker_context import hand_over, take_back

__all__ = ["SessionHooks"]


class SessionHooks(ConfirmHooks):
    """Hooks bound to one session, or to one run of it.

    Args:
        link: The session.
        book: Its runs; given where several hook objects share a session.
    """

    def __init__(self, link: Link, book: RunBook | None = None) -> None:
        self._link = link
        self._shield = Shield()
        self._lenient = Shield(strict=False)  # where an error of the user's is told
        self._context: weakref.ref[Any] | None = None
        self._written: list[ContextLoaded] = []
        self._credentials: list[object] = []
        self._pending: tuple[Any, Any] | None = None
        self._nodes: dict[ActiveRun, list[Any]] = {}
        self._failed_alone: dict[str, ErrorInfo] = {}  # nodes of another process's run
        self.book = book or RunBook()

    # -- context and catalog ---------------------------------------------------------

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: Any) -> None:
        """Kedro read the project's settings."""
        with self._shield:
            self._context = weakref.ref(context)
            self._describe_context(None, None)

    @hook_impl(tryfirst=True)
    def after_catalog_created(
        self, conf_catalog: Any, conf_creds: Any, parameters: Any
    ) -> None:
        """Kedro read parameters, catalog and credentials; the last only to mask."""
        with self._shield:
            self._credentials = secret_values(conf_creds)
            recorder = self._link.recorder
            if recorder is not None:
                recorder.redactor.register(*self._credentials)
            values = (parameters or {}).get("parameters", {})
            self._describe_context(values, conf_catalog)

    def _describe_context(self, parameters: Any, conf_catalog: Any) -> None:
        context = self._context() if self._context is not None else None
        if context is None:
            return
        recorder = self._link.recorder
        if recorder is None:
            # Hooks only: there is no journal before the run begins.
            self._pending = (parameters, conf_catalog)
            return
        recorder.redactor.learn(parameters)
        loaded = context_loaded(context, parameters, conf_catalog, recorder.redactor)
        if loaded != self._written:
            self._written = loaded
            recorder.record(*loaded)

    # -- runs ------------------------------------------------------------------------

    @hook_impl(tryfirst=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Any, catalog: Any
    ) -> None:
        """A run begins."""
        with self._shield:
            recorder = self._link.begin(run_params)
            if recorder is None:
                return
            if self._pending is not None:
                recorder.redactor.register(*self._credentials)
                pending, self._pending = self._pending, None
                self._describe_context(*pending)
            run = self.book.start(compat.run_id(run_params), catalog)
            run.by_others = not compat.session_runs_here()
            run.binding.locate(run.where(recorder.session_id))
            runner = current_runner(run_params)
            run.sequential = runner.name == "SequentialRunner"
            run.in_process = run.sequential or runner.name == "ThreadRunner"
            run.stops_at_failure = run.in_process or runner.name == "ParallelRunner"
            written = self._written
            env = run_params.get("env") or (written[0].env if written else None)
            events = run_started(run, run_params, pipeline, runner, env, recorder)
            recorder.record(*events)
            run.outputs = tuple(sorted(pipeline.outputs()))
            self._nodes[run] = list(pipeline.nodes)
            hand_over(run, self._nodes[run], recorder, self._link.project_path)

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """A run ended well.

        Its result is not declared: pluggy raises where a caller does not give what a
        hook declares, and kedro-dagster gives no `run_result`.
        """
        with self._shield:
            recorder = self._link.recorder
            run = self.book.own(compat.run_id(run_params))
            if run is None or recorder is None:
                return
            try:
                nodes = self._nodes.get(run, ())
                recorder.record(*run_completed(run, nodes))
            finally:
                self._end(run)

    @hook_impl(specname="after_pipeline_run", hookwrapper=True, tryfirst=True)
    def around_after_pipeline_run(
        self, run_params: dict[str, Any]
    ) -> Generator[None, Any, None]:
        """Another plugin may fail when a run has ended well."""
        run = self.book.own(compat.run_id(run_params))
        error = raised((yield))
        if run is not None:
            with self._shield if error is None else self._lenient:
                if error is not None:
                    self._link.failed_after(error)
                self._link.end(completed=error is None)

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, error: Exception, run_params: dict[str, Any]) -> None:
        """A run ended with an exception."""
        with self._lenient:
            run = self.book.own(compat.run_id(run_params))
            if run is None:
                return
            try:
                self.fail(run, error)
            finally:
                self._link.end(completed=False)

    def fail(self, run: ActiveRun, error: BaseException) -> None:
        """Record that an exception ended a run."""
        recorder = self._link.recorder
        if recorder is None:
            return
        try:
            path = self._link.project_path
            recorder.record(*run_failed(run, error, path, recorder))
        finally:
            self._end(run)

    def interrupt(
        self, runs: Iterable[ActiveRun], reason: str, error: BaseException | None
    ) -> None:
        """Record that an interruption ended these runs."""
        events = self.interrupted(runs, reason, error)
        if self._link.recorder is not None and events:
            self._link.recorder.record(*events)

    def interrupted(
        self,
        runs: Iterable[ActiveRun],
        reason: str,
        error: BaseException | None = None,
        signal: int | None = None,
    ) -> list[Event]:
        """End these runs as stopped from outside; return the events that say so.

        A run that another program called the hooks of, and in which a node failed, has
        failed: such a program need not call `on_pipeline_error`.
        """
        events: list[Event] = []
        path = self._link.project_path
        for run in runs:
            if signal is None and error is None and run.is_elsewhere:
                self._end(run)  # it goes on, as far as this process knows
                continue
            broke = run.broke_unsaid if signal is None and error is None else None
            recorder = self._link.recorder
            try:
                if broke is not None and recorder is not None:
                    events += run_failed(run, broke, path, recorder)
                else:
                    events += run_interrupted(run, reason, error, path, signal=signal)
            finally:
                self._end(run)
        return events

    def failed_alone(self) -> list[Event]:
        """Return the failure of a process that ran single nodes and no run.

        A caller of hooks may give each node a process of its own. How the run ends is
        not known there; that a node of it failed is.
        """
        if self.book.attempts or not self._failed_alone:
            return []
        error = next(iter(self._failed_alone.values()))
        return [SessionFailed(error=error, phase="body")]

    def how_closed(self, reason: str) -> str:
        """Return the reason for closing: `elsewhere` if a run was left to others."""
        left = any(run.is_elsewhere for run in self.book.active())
        return "elsewhere" if reason == "exit" and left else reason

    def _end(self, run: ActiveRun) -> None:
        self.book.end(run)
        try:
            for progress in run.nodes.values():
                progress.leave()
            take_back(run, self._nodes.pop(run, []))
            run.binding.restore()
            if self._link.recorder is not None:
                self._link.recorder.tails.end_run(*_key(run))
        finally:
            run.release()

    def release(self) -> None:
        """Drop everything of the user's: the session is closed.

        pluggy's managers are in reference cycles of their own. A manager, and whatever
        its plugins refer to, lives on until the garbage collector comes.
        """
        self._context = self._pending = self.runner = None
        self._written = []
        self._credentials = []
        self._nodes.clear()
        self._failed_alone.clear()

    # -- nodes -----------------------------------------------------------------------

    def _recorder(self, node: Any) -> Recorder | None:
        listen_again()
        return None if self.book.is_left_behind(node) else self._link.recorder

    @hook_impl(tryfirst=True)
    def before_node_run(self, node: Any, catalog: Any, run_id: str | None) -> None:
        """The inputs are loaded."""
        with self._shield:
            run, recorder = self.book.by_id(run_id), self._recorder(node)
            if recorder is None:
                return
            if run is None:
                self._failed_alone.pop(node.name, None)  # it is tried again
                self._bind_unattributed(node)
                recorder.record(NodeStarted(run_id=None, node=node.name))
                return
            if not run.origin.is_here:
                recorder.go_on()  # a daemon that goes on with the run
            known, name = run.catalog is not None, node.name
            run.catalog = run.catalog or catalog
            self._finish_chunked(run, recorder, name)
            run.try_again(name)
            progress = run.progress(node, name)
            progress.phase, progress.thread = "running", threading.get_ident()
            versions = () if known else input_versions(catalog, node)
            self._bind(run, name, progress)
            self.book.enter_node(run, name)
            self.watch_confirms(run, node, progress, catalog)
            recorder.record(NodeStarted(**run.key, node=name, input_versions=versions))
            progress.started_s = run.started_s + run.elapsed_s()

    @hook_impl(tryfirst=True)
    def after_node_run(self, node: Any, outputs: Any, run_id: str | None) -> None:
        """The function returned; nothing is saved yet."""
        with self._shield:
            run, recorder = self.book.by_id(run_id), self._recorder(node)
            if recorder is None:
                return
            if run is None:
                self._bind_unattributed(None)
                recorder.record(NodeComputed(run_id=None, node=node.name))
                return
            name = node.name
            progress = run.progress(node, name)
            progress.phase = "saving"
            progress.chunked = compat.saves_in_chunks(node, outputs)
            if progress.chunked:
                run.chunked.add(name)
            elapsed_s = progress.elapsed_s()
            events: list[Event] = [
                NodeComputed(**run.key, node=name, duration_s=elapsed_s)
            ]
            if not progress.outputs_left and not progress.confirms_left:
                events.append(self._completed(run, name, progress))
            recorder.record(*events)

    @hook_impl(tryfirst=True)
    def on_node_error(self, error: Exception, node: Any, run_id: str | None) -> None:
        """The function raised."""
        with self._lenient:
            run, recorder = self.book.by_id(run_id), self._recorder(node)
            if recorder is None:
                return
            progress = run.nodes.pop(node.name, None) if run else None
            if run is not None:
                run.raised.append(error)
                run.failed.add(node.name)
            info = capture.error_info(error, self._link.project_path)
            if run is None:
                self._failed_alone[node.name] = info
            recorder.record(
                NodeFailed(
                    **key_of(run),
                    node=node.name,
                    duration_s=progress.elapsed_s() if progress else None,
                    error=info,
                    log=recorder.tails.take(recorder.session_id, *_key(run), node.name),
                )
            )
            if progress is not None:
                progress.leave()
                progress.binding.restore()
            else:
                self._bind_unattributed(None)

    def other_failed(self, error: Exception, node: Any) -> None:
        """A hook of another plugin raised, and the node fails of it."""
        with self._lenient:
            run, recorder = self.book.of_dataset_call(node), self._recorder(node)
            if run is None or recorder is None:
                return
            run.raised.append(error)
            progress = run.nodes.pop(node.name, None)
            if progress is not None:  # else it is done
                run.failed.add(node.name)
                progress.leave()
                info = capture.error_info(error, self._link.project_path)
                recorder.record(node_failed(run, node.name, progress, info, recorder))
                progress.binding.restore()

    # -- datasets --------------------------------------------------------------------

    @hook_impl(tryfirst=True)
    def before_dataset_loaded(self, dataset_name: str, node: Any) -> None:
        """A load begins."""
        with self._shield:
            self._dataset_begins("load", dataset_name, node)

    @hook_impl(tryfirst=True)
    def before_dataset_saved(self, dataset_name: str, node: Any) -> None:
        """A save begins."""
        with self._shield:
            self._dataset_begins("save", dataset_name, node)

    def dataset_ended(
        self, kind: Literal["load", "save"], dataset: str, node: Any
    ) -> float | None:
        """A load or save ended well; return the seconds it took, if known."""
        with self._shield:
            run = self.book.of_dataset_call(node)
            if self._recorder(node) is not None and run is not None:
                return run.progress(node, node.name).end(kind, dataset)
        return None

    def dataset_settled(
        self,
        kind: Literal["load", "save"],
        dataset: str,
        node: Any,
        duration_s: float | None,
        *,
        well: bool,
    ) -> None:
        """All plugins were told of it; with the last save, the node may be done."""
        with self._shield if well else self._lenient:
            recorder = self._recorder(node)
            if recorder is None:
                return
            run, name = self.book.of_dataset_call(node), node.name
            path = self._link.project_path
            if kind == "load":
                recorder.record(loaded(run, name, dataset, duration_s, path))
                return
            events: list[Event] = [saved(run, name, dataset, duration_s, path)]
            if run is None:
                recorder.record(*events)
                self._bind_unattributed(None)
                return
            progress = run.progress(node, name)
            progress.outputs_left.discard(dataset)
            if well and progress.is_saved and not progress.confirms_left:
                events.append(self._completed(run, name, progress))
            recorder.record(*events)

    def _dataset_begins(
        self, kind: Literal["load", "save"], dataset: str, node: Any
    ) -> None:
        recorder = self._recorder(node)
        if recorder is None:
            return
        run, name = self.book.of_dataset_call(node), node.name
        if run is not None:
            if kind == "load":
                self._finish_chunked(run, recorder, name)
                run.try_again(name)
            progress = run.progress(node, name)
            progress.begin(kind, dataset)
            self._bind(run, name, progress)
        else:
            self._bind_unattributed(node)
        cls = DatasetLoading if kind == "load" else DatasetSaving
        recorder.record(cls(**key_of(run), node=name, dataset=dataset))

    def _bind(self, run: ActiveRun, name: str, progress: NodeProgress) -> None:
        if progress.where is None:
            recorder = self._link.recorder
            session_id = recorder.session_id if recorder is not None else ""
            progress.where = run.where(session_id, name)
        progress.binding.bind(self._link.active, progress.where)

    def _bind_unattributed(self, node: Any) -> None:
        """Bind this thread to the session, and to a node of whichever run it is."""
        recorder = self._link.recorder
        session_id = recorder.session_id if recorder is not None else ""
        name = node.name if node is not None else None
        bind(self._link.active, Where(session_id, node=name))

    def _completed(
        self, run: ActiveRun, name: str, progress: NodeProgress
    ) -> NodeCompleted:
        run.nodes.pop(name, None)
        run.completed.add(name)
        if self._link.recorder is not None:
            recorder = self._link.recorder
            recorder.tails.take(recorder.session_id, *_key(run), name)
        progress.leave()
        progress.binding.restore()
        return NodeCompleted(**run.key, node=name, duration_s=progress.elapsed_s())

    def _finish_chunked(self, run: ActiveRun, recorder: Recorder, name: str) -> None:
        """One after the other, a generator node is done when the next one begins.

        Kedro saves its outputs chunk by chunk and does not say which is the last. The
        same holds for a node that a runner does not confirm for.
        """
        if not run.sequential or not run.nodes:
            return
        for other, progress in list(run.nodes.items()):
            saved = progress.chunked or progress.is_saved
            over = saved and progress.phase in ("saving", "confirming")
            if over and other != name and not progress.is_at_dataset:
                recorder.record(self._completed(run, other, progress))


def _key(run: ActiveRun | None) -> tuple[str | None, int]:
    return (None, 1) if run is None else (run.run_id, run.attempt)
