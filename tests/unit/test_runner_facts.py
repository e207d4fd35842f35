"""What is recorded of a runner, and what a later run gets of it."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.runner import ParallelRunner, SequentialRunner, ThreadRunner

from kedro_journal.capture.runner import runner_facts, runner_maker
from kedro_journal.errors import NotResumable
from kedro_journal.redaction.decoding import decode
from kedro_journal.state import RunState


class Queued(SequentialRunner):
    """A runner with arguments of many kinds."""

    def __init__(
        self, queue: str, is_async: bool = False, *, client: Any = None
    ) -> None:
        super().__init__(is_async=is_async)
        self._queue = queue
        self.client = client

    def __repr__(self) -> str:
        return f"Queued(workers={self._queue})"


class Passing(SequentialRunner):
    """A runner that passes on what it gets."""

    def __init__(self, *, depth: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.__depth = depth

    @property
    def depth(self) -> int:
        return self.__depth


class Forgetful(SequentialRunner):
    """A runner that keeps nothing of its argument."""

    def __init__(self, speed: int = 3, is_async: bool = False) -> None:
        super().__init__(is_async=is_async)


def recorded(runner: object, made_by: dict[str, Any] | None = None) -> RunState:
    facts = runner_facts(runner, made_by)
    return RunState(
        run_id="r",
        runner=facts.name,
        is_async=facts.is_async,
        runner_arguments=dict(facts.arguments),
        runner_arguments_unknown=facts.unknown,
    )


def again(runner: object, given: dict[str, Any] | None = None) -> Any:
    return runner_maker("s", recorded(runner), None, given)()


def refusal(run: RunState, *choice: Any) -> str:
    with pytest.raises(NotResumable) as caught:
        runner_maker("s", run, *choice)()
    return str(caught.value)


@pytest.mark.parametrize("is_async", [False, True])
def test_kedros_own_runners_come_back_with_their_arguments(is_async: bool) -> None:
    sequential = again(SequentialRunner(is_async=is_async))
    assert (type(sequential), sequential._is_async) == (SequentialRunner, is_async)
    threads = again(ThreadRunner(max_workers=5))
    assert (type(threads), threads._max_workers) == (ThreadRunner, 5)
    processes = again(ParallelRunner(max_workers=3, is_async=is_async))
    found = (type(processes), processes._max_workers, processes._is_async)
    assert found == (ParallelRunner, 3, is_async)


def test_a_runner_of_somebody_else_comes_back_by_its_attributes() -> None:
    queued = again(Queued("gpu", is_async=True))
    assert (type(queued), queued._queue, queued._is_async) == (Queued, "gpu", True)
    passing = again(Passing(depth=4, is_async=True))
    assert (passing.depth, passing._is_async) == (4, True)


def test_what_is_no_plain_data_is_named_and_asked_for() -> None:
    run = recorded(Queued("gpu", client=object()))
    assert run.runner_arguments == {"queue": "gpu"}
    assert run.runner_arguments_unknown == ("client",)
    assert "--runner-params=client=..." in refusal(run)
    made = runner_maker("s", run, None, {"client": 7})()
    assert (made._queue, made.client) == ("gpu", 7)


def test_an_argument_that_is_kept_nowhere_is_asked_for() -> None:
    assert "--runner-params=speed=..." in refusal(recorded(Forgetful(9)))
    assert type(again(Forgetful(9), {"speed": 9})) is Forgetful


def test_of_a_runner_that_the_command_made_everything_is_known() -> None:
    made_by = {"runner": "x", "runner_params": {"speed": 9, "is_async": True}}
    run = recorded(Forgetful(9, is_async=True), made_by)
    assert run.runner_arguments == {"speed": 9}
    assert run.is_async
    assert run.runner_arguments_unknown == ()
    assert type(runner_maker("s", run)()) is Forgetful
    assert recorded(Forgetful(), {"runner_params": {}}).runner_arguments == {}


@pytest.mark.parametrize(
    "value", ["[redacted]", {"$truncated": 3}, ["[redacted]"], {"$type": "x"}]
)
def test_a_display_form_is_never_passed_on(value: object) -> None:
    decoded = decode({"x": value})
    run = RunState(run_id="r", runner="ThreadRunner", runner_arguments=decoded)
    assert "--runner-params=x=..." in refusal(run)


def test_a_required_argument_that_is_not_known_is_asked_for() -> None:
    name = f"{Queued.__module__}.Queued"
    assert "--runner-params=queue=..." in refusal(RunState(run_id="r", runner=name))
    assert "--runner-params=queue=..." in refusal(recorded(ThreadRunner()), Queued)


@pytest.mark.parametrize(
    "name",
    [
        "__main__.NoSuchRunner",
        "no.such.module.Runner",
        "tests.unit.test_runner_facts.make.<locals>.Inner",
        "Quick(workers=4)",
        "(unknown)",
        "json.JSON",
    ],
)
def test_a_class_that_cannot_be_imported_is_refused_in_a_line(name: str) -> None:
    text = refusal(RunState(run_id="r", runner=name))
    assert "--runner" in text
    assert "\n" not in text


def test_a_constructor_that_raises_is_refused_in_a_line() -> None:
    run = RunState(
        run_id="r", runner="ThreadRunner", runner_arguments={"max_workers": -1}
    )
    text = refusal(run)
    assert "max_workers should be positive" in text
    assert "\n" not in text
