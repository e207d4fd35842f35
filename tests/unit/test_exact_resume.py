"""What is recorded of a run reaches a later run equal, or is refused by name.

The values take the whole way in one process: the events of a session and its run, the
journal file, replay, the chain that `resume` and `rerun` follow, and the arguments that
Kedro would receive. No pipeline runs.
"""

from __future__ import annotations

import ast
import datetime
import itertools
import json
import pathlib
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import yaml
from exact_values import is_same, keys, texts, values
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from kedro.framework.cli.utils import _split_params
from kedro.pipeline import Node, Pipeline
from msgspec.structs import replace

from kedro_journal.analysis import ResumePlan
from kedro_journal.capture import compat
from kedro_journal.capture.runner import runner_facts
from kedro_journal.config import Config
from kedro_journal.errors import NotRecorded, NotResumable
from kedro_journal.events import CommandLine, RunFailed, SessionClosed, SessionCreated
from kedro_journal.events.base import ErrorInfo
from kedro_journal.hooks.run_plan import run_started
from kedro_journal.journal.values import read_value
from kedro_journal.recording.opening import open_journal
from kedro_journal.recording.progress import ActiveRun
from kedro_journal.redaction.limits import EXACT_DEPTH_MAX, EXACT_TEXT_MAX_CHARS
from kedro_journal.session.resume.chain import Chain, find_chain
from kedro_journal.session.resume.planning import (
    run_filters,
    run_with_runner,
    runtime_params,
)
from kedro_journal.session.resume.resumption import (
    ResumeLock,
    Resumption,
    RunnerChoice,
    rerun_arguments,
    run_arguments,
)
from kedro_journal.views.command import arguments_of, command_text
from kedro_journal.views.terminal import escape

NO_CHOICE = RunnerChoice()


class Runner:
    """A runner that keeps its only argument."""

    def __init__(self, argument: Any = None) -> None:
        self.argument = argument


class Asked(NamedTuple):
    """What a session and its run were asked for."""

    params: Mapping[Any, Any] = MappingProxyType({})
    filters: Mapping[str, Any] = MappingProxyType({})
    load_versions: Mapping[str, str] = MappingProxyType({})
    argument: Any = None
    argv: tuple[str, ...] = ()


_ids = itertools.count(1)
_pipeline = Pipeline([Node(lambda: 1, None, "one", name="first")])


def recorded(project: Path, asked: Asked) -> tuple[Chain, bytes]:
    """Record a failed run of a session; return its chain and its journal."""
    session_id = f"2026-01-02T03.04.05.{next(_ids):06}Z"
    opened = open_journal(session_id, project, Config(durability="none"))
    recorder = opened.recorder
    assert recorder.folder is not None
    assert opened.owner is not None
    run = ActiveRun("r", 1)
    run_params = {**asked.filters, "load_versions": asked.load_versions}
    run_params["runtime_params"] = asked.params
    runner = runner_facts(Runner(asked.argument))
    command = CommandLine(argv=asked.argv, name="run") if asked.argv else None
    try:
        recorder.record(
            SessionCreated(
                session_id=opened.session_id,
                project_path=str(project),
                runtime_params=dict(asked.params),
                command=command,
            ),
            *run_started(run, run_params, _pipeline, runner, None, recorder),
            RunFailed(**run.key, error=ErrorInfo(type="E")),
            SessionClosed(reason="close"),
        )
    finally:
        recorder.close()
        opened.owner.release()
    data = (recorder.folder / "journal.jsonl").read_bytes()
    return find_chain(opened.session_id, project_path=project), data


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


def _from_yaml(value: Any) -> Any:
    return yaml.safe_load(yaml.safe_dump(value, allow_unicode=True))


def _by_flag(pairs: dict[str, str]) -> Any:
    text = ",".join(f"{key}={value}" for key, value in pairs.items())
    return _split_params(None, None, text)


@st.composite
def given_params(draw: st.DrawFn) -> dict[Any, Any]:
    """Draw what Python, a YAML file, a JSON file or `--params` gives."""
    way = draw(st.sampled_from(["python", "yaml", "json", "flag"]))
    try:
        if way == "flag":
            found = _by_flag(draw(st.dictionaries(texts, texts, max_size=4)))
        else:
            found = draw(st.dictionaries(keys, values, max_size=4))
            if way == "yaml":
                found = _from_yaml(found)
            elif way == "json":
                found = json.loads(json.dumps(found))
    except Exception:  # no such file, or no such flag
        assume(condition=False)
    return dict(found)


filters = st.fixed_dictionaries(
    {},
    optional={
        "tags": st.lists(texts, max_size=3),
        "from_nodes": st.lists(texts, max_size=3),
        "node_names": st.lists(texts, max_size=3).map(tuple),
        "namespaces": st.lists(texts, max_size=3),
        "only_missing_outputs": st.booleans(),
    },
)
PROPERTY = settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
HARD = {
    "ts": 2**53 + 1,
    "nan": float("nan"),
    "inf": [float("inf"), float("-inf"), -0.0],
    "raw": b"\xff\x00",
    "day": datetime.date(2026, 1, 2),
    "table": {1: "one", "": {"": None}, 2.5: {None: {True: "x"}}},
    "query": "x" * 17_000,
    "ids": list(range(1001)),
    "lone": "\ud800 \U0001f600",
    "deep": {"a": {"b": [{"c": (1, {2, 3})}]}},
}


def is_masked(journal: bytes) -> bool:
    return b"[redacted]" in journal


@given(params=given_params())
@example(params=HARD)
@PROPERTY
def test_runtime_parameters_reach_a_later_run(
    project: Path, params: dict[Any, Any]
) -> None:
    chain, journal = recorded(project, Asked(params))
    if is_masked(journal):  # a name, or a text, like a secret's
        with pytest.raises(NotResumable, match=r"the runtime parameter .* secret"):
            runtime_params(chain, None)
        return
    passed_on = runtime_params(chain, None)
    assert is_same(params, passed_on), (params, passed_on)


@given(asked=filters, load_versions=st.dictionaries(texts, texts, max_size=3))
@example(asked={}, load_versions={"a": "\ud800"})
@PROPERTY
def test_filters_and_versions_reach_a_later_run(
    project: Path, asked: dict[str, Any], load_versions: dict[str, str]
) -> None:
    chain, journal = recorded(project, Asked({}, asked, load_versions))
    run = run_with_runner(chain)
    if is_masked(journal):
        with pytest.raises(NotResumable, match=r"the filter |holds a secret"):
            run_filters(chain, chain.last.session_id, run)
        return
    if re.search("[\ud800-\udfff]", "".join([*load_versions, *load_versions.values()])):
        with pytest.raises(NotResumable, match="no load_versions: not Unicode text"):
            run_filters(chain, chain.last.session_id, run)
        return
    found = run_filters(chain, chain.last.session_id, run)

    whole = replace(run, filters=found, runner="", runner_arguments={})
    passed_on = rerun_arguments(whole, "s", {}, NO_CHOICE)

    wanted = {name: value for name, value in asked.items() if value}
    for name, value in wanted.items():
        expected = list(value) if isinstance(value, tuple) else value
        assert is_same(expected, passed_on[name]), (name, value, passed_on)
    assert is_same(load_versions or None, passed_on["load_versions"])
    plan = ResumePlan(
        session_id="s",
        chain=("s",),
        pipelines=run.pipelines,
        runner="",
        is_async=False,
        env=None,
        decisions=(),
        load_versions=load_versions,
        own_versions=(),
        drift=(),
    )
    resumption = Resumption(plan, whole, ResumeLock(project / "resume.lock"))
    resumed = run_arguments(resumption, "t", {}, NO_CHOICE)
    assert is_same(load_versions or None, resumed["load_versions"])


@given(argument=values)
@example(argument={key: value for key, value in HARD.items() if key != "ids"})
@example(argument=[HARD["ids"]])
@PROPERTY
def test_a_runner_gets_an_equal_argument(project: Path, argument: Any) -> None:
    chain, journal = recorded(project, Asked(argument=argument))
    run = run_with_runner(chain)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compat, "load_runner", lambda name: Runner)
        choice = NO_CHOICE
        if is_masked(journal) or not is_recorded(argument):
            with pytest.raises(NotResumable, match="the argument argument of its run"):
                rerun_arguments(run, "s", {}, choice)
            choice = RunnerChoice(None, {"argument": argument})
        runner = rerun_arguments(run, "s", {}, choice)["runner"]
    assert is_same(argument, runner.argument), (argument, runner.argument)


def is_recorded(value: Any) -> bool:
    """Return whether a runner's argument is small enough to be looked through."""
    items = value if isinstance(value, (list, tuple, set)) else ()
    if isinstance(value, dict):
        items = [*value, *value.values()]
    return len(items) <= 1000 and all(map(is_recorded, items))


class Names(dict[str, Any]):
    """What a reader of a printed call imports."""

    def __init__(self) -> None:
        super().__init__(
            datetime=datetime,
            PosixPath=pathlib.PosixPath,
            nan=float("nan"),
            inf=float("inf"),
        )


@given(params=given_params())
@example(params=HARD)
@PROPERTY
def test_a_printed_call_has_the_parameters(
    project: Path, params: dict[Any, Any]
) -> None:
    chain, journal = recorded(project, Asked(params))
    folder = chain.folder
    text = command_text(chain.last, lambda name: read_value(folder, name))
    if is_masked(journal):
        return
    (call,) = (
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".create")
    )
    told = {one.arg: ast.unparse(one.value) for one in call.keywords}
    printed = eval(told.get("runtime_params", "{}"), Names())
    assert is_same(params, printed), (params, printed)


arguments = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    max_size=4,
)


@given(argv=arguments)
@example(argv=["--params", "a=x\x85y\u2028z\nw\x1b[31m\t\\x41'\""])
@PROPERTY
def test_a_printed_command_is_the_same_in_a_shell(
    project: Path, argv: list[str]
) -> None:
    chain, journal = recorded(project, Asked(argv=("kedro", "run", *argv)))
    if is_masked(journal):
        return
    folder = chain.folder
    fetch = lambda name: read_value(folder, name)  # noqa: E731
    assert ["kedro", "run", *argv] == arguments_of(chain.last, fetch)
    text = command_text(chain.last, fetch)
    printed = "\n".join(escape(line) for line in text.splitlines())
    script = "kedro() { printf '%s\\0' \"$@\"; }\n" + printed
    told = subprocess.run(
        ["bash", "-c", script], capture_output=True, check=True, timeout=60
    )
    assert ["run", *argv] == told.stdout.decode().split("\0")[:-1]


def test_what_is_beyond_the_limits_is_refused_by_name(project: Path) -> None:
    large = {
        "text": "x" * (EXACT_TEXT_MAX_CHARS + 1),
        "deep": _nested(EXACT_DEPTH_MAX + 1),
        "kind": {"inner": [object()]},
    }
    chain, _ = recorded(project, Asked({**HARD, **large}, argument=large["text"]))

    with pytest.raises(NotResumable) as refused:
        runtime_params(chain, None)
    for name in large:
        assert name in refused.value.reason
    for name in set(HARD) - {"deep"}:
        assert f" {name}," not in refused.value.reason
    fetch = lambda name: read_value(chain.folder, name)  # noqa: E731
    with pytest.raises(NotRecorded) as not_recorded:
        command_text(chain.last, fetch)
    assert "text" in str(not_recorded.value)

    passed_on = runtime_params(chain, large)
    assert is_same({**HARD, **large}, passed_on)


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value
