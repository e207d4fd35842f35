"""How a run broke -> the events that say so."""

from __future__ import annotations

from kedro_journal.events import ErrorInfo, Event, NodeFailed, RunFailed

from .progress import ActiveRun

__all__ = ["run_failed"]


def run_failed(run: ActiveRun, error: BaseException, info: ErrorInfo) -> list[Event]:
    """Tell that an exception ended a run, and which dataset it was, if it was one.

    Args:
        run: The run.
        error: The exception.
        info: The same as plain data.
    """
    events: list[Event] = []
    at = [(n, p) for n, p in run.nodes.items() if run.sequential or p.is_at_dataset]
    seen = any(error is known for known in run.raised)  # of another node, told
    if len(at) == 1 and not seen:
        # A failing load or save reaches no node hook: this is how it is told.
        name, progress = at[0]
        events.append(
            NodeFailed(
                **run.key,
                node=name,
                duration_s=progress.elapsed_s(),
                error=info,
                phase=progress.phase,
                dataset=progress.open_dataset,
            )
        )
    events.append(RunFailed(**run.key, duration_s=run.elapsed_s(), error=info))
    return events
