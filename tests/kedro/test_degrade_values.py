"""What a run is given, makes and raises, however odd: as without us, and on record."""

from __future__ import annotations

from pathlib import Path

import hostile
import msgspec
import pytest

from kedro_journal import SessionState

from .conftest import Mischief, said

LONG = pytest.mark.long
# Drawing a message of 50 MB on a terminal is what takes Kedro minutes.
QUIET = """
version: 1
disable_existing_loggers: False
handlers: {console: {class: logging.StreamHandler, stream: ext://sys.stdout}}
loggers: {kedro_journal: {level: WARNING}}
root: {handlers: [console], level: CRITICAL}
"""
RUNS = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, %(support)r)
import hostile
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from %(package)s.session import KedroSession

def outcome(params):
    result = Path("data/result.json")
    result.unlink(missing_ok=True)
    try:
        with KedroSession.create(runtime_params=params) as session:
            session.run()
        return "completed: " + result.read_text()[:200]
    except BaseException as error:
        return type(error).__qualname__

def both(params):
    os.environ["KEDRO_JOURNAL_DISABLE"] = "1"
    without = outcome(params())
    del os.environ["KEDRO_JOURNAL_DISABLE"]
    return without, outcome(params())

print(json.dumps({name: both(lambda: %(params)s) for name in %(names)r}))
"""
# What the second node executes. Its rows go through memory to the last one's file.
RAISE = '{"title": name, "code": f"import hostile; raise hostile.ERRORS[{name!r}]()"}'
MAKE = '{"title": name, "code": f"import hostile; odd(hostile.VALUES[{name!r}]())"}'
GIVE = '{"title": name, "value": hostile.VALUES[name]()}'

# Kedro goes through these item by item, for minutes or for ever.
ENDLESS = {name for name in hostile.VALUES if "million" in name} | {"endless list"}
# These it copies in no time, but as text they have no end.
DENSE = {"dense", "dense secret"}


def compare(
    project: Mischief, level: int, params: str, names: list[str]
) -> tuple[dict[str, str], dict[str, SessionState]]:
    """Run with each, without us and with us: it must make no difference.

    Returns:
        How each ended, and the states of the journaled sessions, by name.
    """
    (project.path / "quiet.yml").write_text(QUIET)
    code = RUNS % {
        "support": str(Path(hostile.__file__).parent),
        "package": "kedro_journal" if level else "kedro.framework",
        "params": params,
        "names": names,
    }
    done = project.python(code, env={"KEDRO_LOGGING_CONFIG": "quiet.yml"})
    assert 0 == done.returncode, done.stderr[-3000:]
    assert [] == said(done)
    found = msgspec.json.decode(
        done.stdout.splitlines()[-1], type=dict[str, tuple[str, str]]
    )
    assert names == list(found)
    assert [] == [(name, *both) for name, both in found.items() if len({*both}) > 1]
    states = {str(state.runtime_params["title"]): state for state in project.states()}
    for state in states.values():
        assert () == project.verification(state.session_id).findings
        assert () == state.anomalies
        assert 0 == state.unknown_events + state.dropped_events
        assert "closed" == state.status
    return {name: without for name, (without, _) in found.items()}, states


@pytest.mark.kedro
@pytest.mark.parametrize("level", [pytest.param(0, marks=LONG), 1])
def test_parameters_of_any_kind(mischief: Mischief, level: int) -> None:
    names = [name for name in hostile.VALUES if name not in ENDLESS]

    outcomes, states = compare(mischief, level, GIVE, names)

    completed = {name for name in names if outcomes[name].startswith("completed")}
    assert {"50 MB text", "long integer", "lone surrogate"} <= completed
    assert completed <= states.keys()
    if level == 1:  # also where no context could be made of them
        assert set(names) == states.keys()
    for name, state in states.items():
        assert ("completed" if name in completed else "failed") == state.verdict, name
        assert "value" in state.runtime_params


@pytest.mark.kedro
@pytest.mark.parametrize("level", [pytest.param(0, marks=LONG), 1])
def test_datasets_of_any_kind(mischief: Mischief, level: int) -> None:
    names = [name for name in hostile.VALUES if name not in ENDLESS | DENSE]
    probe = mischief.path / "src" / mischief.package / "probe.py"
    text = probe.read_text().replace('return [*rows, "acted"]', "return [*rows, *ODD]")
    assert "*ODD" in text
    probe.write_text(text + "ODD = []\ndef odd(value): ODD[:] = [value]\n")

    outcomes, states = compare(mischief, level, MAKE, names)

    assert set(names) == states.keys()
    assert {"completed", "failed"} == {state.verdict for state in states.values()}
    for name, state in states.items():
        completed = outcomes[name].startswith("completed")
        assert ("completed" if completed else "failed") == state.verdict, name


@pytest.mark.kedro
@pytest.mark.parametrize("level", [pytest.param(0, marks=LONG), 1])
def test_exceptions_of_any_kind(mischief: Mischief, level: int) -> None:
    names = list(hostile.ERRORS)

    outcomes, states = compare(mischief, level, RAISE, names)

    assert set(names) == states.keys()
    assert "interrupted" == states.pop("system exit").verdict
    for name, state in states.items():
        assert "failed" == state.verdict
        failed = state.runs[-1].nodes["act"]
        assert failed.error is not None
        assert outcomes[name] == failed.error.type.rpartition(".")[2]
