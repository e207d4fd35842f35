"""Sessions that resume a session, and its processes that are alive."""

from __future__ import annotations

from kedro_journal._outside import let_through
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory
from kedro_journal.journal.liveness import (
    boot_id,
    host_name,
    is_anywhere,
    is_running,
    pid_namespace,
)
from kedro_journal.state import SessionState, Writer

from .folder import replay_folder
from .locate import resumed_by

__all__ = ["end_of_chain", "is_live_worker", "live_workers"]


def end_of_chain(where: JournalDirectory, session_id: str) -> SessionState:
    """Return the last session that resumes a session, directly or not, or itself.

    Returns:
        Its state, with its id even where nothing more of it can be read.
    """
    seen, last = {session_id}, session_id
    while (later := resumed_by(where, last)) is not None and later not in seen:
        seen.add(later)
        last = later
    try:
        return replay_folder(where.folder(last), salvage=True)
    except (JournalError, OSError) as error:
        let_through(error)
        return SessionState(session_id=last, status="created", liveness="unknown")


def live_workers(state: SessionState) -> tuple[Writer, ...]:
    """Return the worker processes that have outlived the session's own."""
    if state.verdict == "running":
        return ()  # it has workers as it should
    # A daemon may have appended as a worker before it took the session over.
    owners = {
        (one.pid, one.started_at_ticks)
        for one in state.writers.values()
        if one.role == "owner"
    }
    return tuple(
        one
        for one in state.writers.values()
        if (one.pid, one.started_at_ticks) not in owners and is_live_worker(one)
    )


def is_live_worker(writer: Writer) -> bool | None:
    """Return whether a writer is a worker process that lives.

    A process is identified by its pid and start time, on this boot of this kernel.

    Returns:
        None if the worker is of another pid namespace, as in a container, and its
        processes are not seen from here. False for one of another boot or machine, or
        whose start time is not recorded.
    """
    if writer.role != "worker" or writer.boot_id is None:
        return False
    if writer.boot_id != boot_id() or writer.started_at_ticks is None:
        return False
    if writer.pid_namespace in (None, pid_namespace()):
        here = writer.host == host_name()
        return here and is_running(writer.pid, writer.started_at_ticks)
    return is_anywhere(writer.pid, writer.started_at_ticks)
