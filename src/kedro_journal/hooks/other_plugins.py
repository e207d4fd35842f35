"""The hooks of other plugins: what they raise, and when they are through.

No hook of Kedro's tells of it, so the calls themselves are wrapped. Only Kedro is
imported here, for the hooks that Kedro finds by entry point are made of this as well.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Literal

from kedro.framework.hooks import hook_impl

from kedro_journal._outside import let_through

__all__ = ["SeesOthers", "SeesOthersInRuns", "raised"]

Wrapper = Callable[..., Generator[None, Any, None]]


def raised(outcome: Any) -> Exception | None:
    """Return what a wrapped call raised, None if nothing, or an interruption."""
    error = outcome.excinfo[1] if outcome.excinfo else None
    if not isinstance(error, Exception) or getattr(error, "strict", False):
        return None  # stopped from outside; or ours, let through by `strict`
    return error


def _around(hook: str) -> Wrapper:
    """Wrap every call of a hook that is about a node."""

    @hook_impl(specname=hook, hookwrapper=True, tryfirst=True)
    def around(self: SeesOthers, node: Any) -> Generator[None, Any, None]:
        error = raised((yield))
        if error is not None:
            self.other_failed(error, node)

    return around


def _around_end(hook: str, kind: Literal["load", "save"]) -> Wrapper:
    """Wrap every call of a hook that says that a load or save ended.

    Another plugin may change the stored data in that hook, so that what is there can
    be looked at only after all of them.
    """

    @hook_impl(specname=hook, hookwrapper=True, tryfirst=True)
    def around(
        self: SeesOthers, dataset_name: str, node: Any
    ) -> Generator[None, Any, None]:
        duration_s = self.dataset_ended(kind, dataset_name, node)
        outcome = yield
        error = raised(outcome)
        try:
            well = outcome.excinfo is None
            self.dataset_settled(kind, dataset_name, node, duration_s, well=well)
            if error is not None:
                self.other_failed(error, node)
        except Exception as own:  # that `strict` lets through
            let_through(own)
            if not hasattr(outcome, "force_exception"):  # an older pluggy
                raise
            outcome.force_exception(own)

    return around


class SeesOthers:
    """Hooks that learn when a hook of another plugin ends a node."""

    def dataset_ended(
        self, kind: Literal["load", "save"], dataset: str, node: Any
    ) -> float | None:
        """A load or save ended well; return the seconds it took, if known."""
        raise NotImplementedError

    def dataset_settled(
        self,
        kind: Literal["load", "save"],
        dataset: str,
        node: Any,
        duration_s: float | None,
        *,
        well: bool,
    ) -> None:
        """All plugins were told of it.

        Args:
            kind: Which of them ended.
            dataset: Its name.
            node: The node.
            duration_s: What `dataset_ended` returned.
            well: No plugin raised.
        """
        raise NotImplementedError

    def other_failed(self, error: Exception, node: Any) -> None:
        """A hook that was called for this node raised."""
        raise NotImplementedError

    around_before_dataset_loaded = _around("before_dataset_loaded")
    around_after_dataset_loaded = _around_end("after_dataset_loaded", "load")
    around_before_node_run = _around("before_node_run")
    around_after_node_run = _around("after_node_run")
    around_before_dataset_saved = _around("before_dataset_saved")
    around_after_dataset_saved = _around_end("after_dataset_saved", "save")


class SeesOthersInRuns(SeesOthers):
    """The same for runs, where there are any: in the process of the session."""

    def on_pipeline_error(self, error: Exception, run_params: dict[str, Any]) -> None:
        """A run ended with an exception."""
        raise NotImplementedError

    @hook_impl(specname="before_pipeline_run", hookwrapper=True, tryfirst=True)
    def around_before_pipeline_run(
        self, run_params: dict[str, Any]
    ) -> Generator[None, Any, None]:
        """Kedro calls no hook when a hook ends a run before its first node."""
        error = raised((yield))
        if error is not None:
            self.on_pipeline_error(error, run_params)
