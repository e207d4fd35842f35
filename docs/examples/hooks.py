"""Hooks of a project that read the journal of the session they run in.

Name the class in the project's settings: `HOOKS = (Alert(),)`.
"""

from __future__ import annotations

import logging

from kedro.framework.hooks import hook_impl

import kedro_journal

logger = logging.getLogger(__name__)


class Alert:
    """Log what broke and how to go on; send it wherever your team looks."""

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Read the state of this very session, as far as it is recorded by now."""
        try:
            state = kedro_journal.current()
        except RuntimeError:
            return  # journaling is disabled
        broken = [node.name for run in state.runs for node in run.broken]
        logger.error(
            "Session %s: %s broke. `kedro-journal show %s` has the traceback, "
            "`kedro-journal resume %s` runs what is left.",
            state.session_id,
            ", ".join(broken) or "no node",
            state.session_id,
            state.session_id,
        )
