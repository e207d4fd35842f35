"""Which runner a run has: its class, and whether it loads and saves in threads."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import capture, compat

__all__ = ["RunnerFacts", "runner_facts", "told_runner"]


class RunnerFacts(NamedTuple):
    """What is put on record of a runner.

    Attributes:
        name: Its class; those of Kedro without their module.
        is_async: Datasets are loaded and saved in threads.
    """

    name: str
    is_async: bool


def runner_facts(runner: object) -> RunnerFacts:
    """Describe a runner; none is Kedro's default."""
    if runner is None:
        return RunnerFacts("SequentialRunner", False)
    cls = type(runner)
    ours = cls.__module__.startswith("kedro.runner")
    name = cls.__qualname__ if ours else f"{cls.__module__}.{cls.__qualname__}"
    return RunnerFacts(name, bool(getattr(runner, "_is_async", False)))


def told_runner(run_params: dict[str, Any]) -> RunnerFacts:
    """Give what Kedro's hooks and the command line tell of the runner."""
    command = capture.command_line()
    is_async = bool(command.flags.get("is_async")) if command is not None else False
    return RunnerFacts(compat.runner_name(run_params), is_async)
