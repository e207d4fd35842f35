"""A session, those that it was resumed from, and the last that resumed it."""

from __future__ import annotations

import logging
import os
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from kedro_journal._outside import let_through
from kedro_journal.analysis import Damage, Link
from kedro_journal.capture.project import check_project
from kedro_journal.config import find_project
from kedro_journal.errors import JournalError, NotResumable
from kedro_journal.events import JournalHeader
from kedro_journal.journal import JournalDirectory, read_head, verify
from kedro_journal.replaying import replay_folder
from kedro_journal.replaying.kin import is_live_worker
from kedro_journal.replaying.locate import open_directory, resumed_by
from kedro_journal.replaying.packs import is_unpacked
from kedro_journal.replaying.select import Chosen, select
from kedro_journal.state import RunState, SessionState
from kedro_journal.state.unread import unread_text

__all__ = ["Chain", "find_chain"]

_logger: Final = logging.getLogger("kedro_journal")
_FINDINGS_MAX: Final = 5
_UPGRADE: Final = "Upgrade with pip install --upgrade kedro-journal."


class Chain(NamedTuple):
    """A session, those it was resumed from, and where they are.

    Attributes:
        links: The sessions with their runs, oldest first.
        folder: Session folder of the last of them.
        project: Root of the project.
    """

    links: tuple[Link, ...]
    folder: Path
    project: Path

    @property
    def last(self) -> SessionState:
        """The session that is gone on from."""
        return self.links[-1].state

    @property
    def run(self) -> RunState:
        """Its run that is gone on from."""
        return self.links[-1].run

    def damage(self) -> tuple[Damage, ...]:
        """Look for damage in its journals."""
        where = JournalDirectory(self.folder.parent)
        found: list[Damage] = []
        for state, _ in self.links:
            told = verify(where.file(state.session_id))
            bad = [one for one in told.findings if one.severity != "info"]
            if told.ok:
                continue
            words = [f"after record {one.seq}: {one.detail or one.kind}" for one in bad]
            found.append(
                Damage(
                    session_id=state.session_id,
                    lost=sum(one.lost for one in bad),
                    findings=tuple(words[:_FINDINGS_MAX]),
                    more=len(words[_FINDINGS_MAX:]),
                )
            )
        return tuple(found)


def find_chain(
    session_id: str = "latest",
    *,
    project_path: Path | str | None = None,
    directory: Path | str | None = None,
    run_id: str | None = None,
    force: bool = False,
    follow: bool = True,
) -> Chain:
    """Find what is to be gone on from: the last of those that resumed the session.

    Args:
        session_id: As for `replay`; `latest` passes over sessions without a run.
        project_path: Root of the project; None for the one around the working
            directory.
        directory: The journal directory itself, instead of a project's.
        run_id: A run of the session; None for its last.
        force: Also resume a session whose process is alive or not known.
        follow: Resume the last session that resumed it; False for the session itself.

    Raises:
        NotResumable: It has no run, its process is alive or unknown, it belongs to
            another project, or this version cannot read all of it (without *force*).
        JournalError: As for `replay`.
    """
    where = open_directory(project_path, directory)
    chosen = select(where, session_id, "run")
    where = chosen.where
    if chosen.note:
        _logger.info("kedro-journal: session %s %s", chosen.session_id, chosen.note)
    _check_own(chosen)
    if is_unpacked(chosen.folder):
        advice = "Unpack it into the journal directory of the project first."
        raise NotResumable(chosen.session_id, "it is in an archive", advice)
    found, run_id = _with_run(where, chosen.session_id, run_id)
    seen = {found}
    while follow and (later := resumed_by(where, found, run_id)) not in (None, *seen):
        found, run_id = str(later), None
        seen.add(found)
    links = _links(where, found, run_id)
    _check_liveness(links[-1], force=force)
    here = project_path or (find_project() if directory is None else None)
    project = Path(here or links[-1].state.project_path or Path.cwd())
    _check_read(links, force=force)
    check_project(links[-1].state, project, where.path)
    return Chain(links, where.folder(found), project)


def _check_own(chosen: Chosen) -> None:
    """Refuse to resume a copy: its chain is that of the original.

    Raises:
        NotResumable: It is one.
    """
    try:
        records = islice(read_head(chosen.file), 1)
        event = next((record.event for record in records), None)
    except (JournalError, OSError) as error:
        let_through(error)
        return  # it is refused where it is read
    if isinstance(event, JournalHeader) and event.session_id != chosen.session_id:
        reason = f"it is a copy of session {event.session_id}"
        advice = f"`kedro-journal resume {event.session_id}` resumes that one."
        raise NotResumable(chosen.session_id, reason, advice)


def _with_run(
    where: JournalDirectory, session_id: str, run_id: str | None
) -> tuple[str, str | None]:
    """Return the session that is meant and its run: that one, or the last.

    A session that was to resume another one, and never began to run, stands for that.

    Raises:
        NotResumable: The session has no such run, or none at all.
    """
    seen: set[str] = set()
    found = session_id
    while True:
        seen.add(found)
        state = replay_folder(where.folder(found), salvage=True)
        ids = [run.run_id for run in state.runs]
        if run_id is not None and run_id not in ids:
            known = ", ".join(dict.fromkeys(i for i in ids if i)) or "none"
            reason = f"it has no run {run_id!r}"
            raise NotResumable(found, reason, f"Its runs: {known}.")
        if ids:
            return found, run_id or ids[-1]
        if state.unknown_events:
            raise NotResumable(found, unread_text(state), _UPGRADE)
        resumed = state.resumed
        if resumed is None or resumed.parent_session_id in seen:
            advice = "`kedro-journal command` has the command line to start it again."
            raise NotResumable(session_id, "no run of it was begun", advice)
        found, run_id = resumed.parent_session_id, resumed.parent_run_id


def _links(
    where: JournalDirectory, session_id: str, run_id: str | None
) -> tuple[Link, ...]:
    links: list[Link] = []
    wanted: str | None = session_id
    seen: set[str] = set()
    while wanted is not None and wanted not in seen:
        seen.add(wanted)
        try:
            state = replay_folder(where.folder(wanted), salvage=True)
        except (JournalError, OSError) as error:
            let_through(error)
            if not links:
                raise
            reason = f"the session it resumes, {wanted}, cannot be read: {error}"
            advice = "`kedro-journal rerun` runs all of it again."
            raise NotResumable(session_id, reason, advice) from error
        run = _run_of(state, run_id)
        if run is not None:
            links.insert(0, Link(state, run))
        parent = state.resumed
        wanted = parent.parent_session_id if parent is not None else None
        run_id = parent.parent_run_id if parent is not None else None
    return tuple(links)


def _run_of(state: SessionState, run_id: str | None) -> RunState | None:
    if run_id is None:
        return state.last_run
    return next((run for run in reversed(state.runs) if run.run_id == run_id), None)


def _check_read(links: tuple[Link, ...], *, force: bool) -> None:
    """Refuse to resume what this version cannot read."""
    for state, _ in links:
        if state.unknown_events and not force:
            raise NotResumable(state.session_id, unread_text(state), _UPGRADE)


def _check_liveness(link: Link, *, force: bool) -> None:
    state, run = link
    if force:
        return
    if state.liveness not in ("running", "unknown"):
        _check_workers(state, run)
        return
    ours = state.pid == os.getpid() and state.liveness == "running"
    if ours and run.status != "running":
        _check_workers(state, run)
        return  # a notebook whose run failed: nothing of it goes on
    if state.liveness == "running":
        reason = f"its process {state.pid} on {state.host} is alive"
        advice = "Wait for it, or stop it first."
        if run.status != "running":
            reason += f", though this run {run.status}"
            advice = "Wait for it, or go on all the same with --force (force=True)."
    else:
        reason = (
            f"it ran on {state.host}, and from here it is not known whether it does"
        )
        advice = "If you know that it ended, say so with --force (force=True)."
    raise NotResumable(state.session_id, reason, advice)


def _check_workers(state: SessionState, run: RunState) -> None:
    """Refuse while a worker process goes on although its owner is dead.

    Once the owner was stopped its journal is closed, and nothing records any more what
    the workers are at: then one that lives may be at any node.
    """
    in_progress = {node.writer: node.name for node in run.in_progress}
    at = dict.fromkeys((node.writer for node in run.nodes.values()), "")
    broken = {node.writer: node.name for node in run.broken if node.status != "failed"}
    for name, node in (
        in_progress if run.status != "interrupted" else at | broken
    ).items():
        writer = state.writers.get(name)
        alive = is_live_worker(writer) if writer is not None else False
        if writer is not None and alive is None:
            reason = (
                f"its worker process {writer.pid} ran in another container (pid "
                "namespace), and from here it is not known whether it is alive"
            )
            advice = "If you know that it ended, say so with --force (force=True)."
            raise NotResumable(state.session_id, reason, advice)
        if writer is not None and alive:
            where = f"at node {node}" if node else "may be at a node"
            gone = "was stopped" if run.status == "interrupted" else "is dead"
            reason = (
                f"its worker process {writer.pid} is alive and {where}, "
                f"though its main process {gone}"
            )
            advice = f"Wait for it, or stop it first: kill {writer.pid}."
            raise NotResumable(state.session_id, reason, advice)
