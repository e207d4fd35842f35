"""A real Kedro project, made once from the packaged starter and copied for each test."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from preloaded import Preloaded

import kedro_journal
from kedro_journal import SessionState
from kedro_journal.journal import Verification

from .dose import left_out

KEDRO = [sys.executable, "-m", "kedro"]
IPYTHON = [
    sys.executable, "-m", "IPython",
    "--simple-prompt", "--no-banner", "--no-confirm-exit", "--quick",
]  # fmt: skip
TIMEOUT_S = 120
PRELOADED = Preloaded()
atexit.register(PRELOADED.close)
HERE = Path(__file__).parent


# In memory alone: runs at once must not meet in the same files.
IN_MEMORY = """
from kedro.pipeline import Node, Pipeline

def load(title): return [title] * 100
def left(rows): return len(rows)
def right(rows): return set(rows)
def join(a, b): return (a, b)

def make_pipelines():
    pipeline = Pipeline([
        Node(load, "params:title", "rows", name="load"),
        Node(left, "rows", "count", name="left"),
        Node(right, "rows", "titles", name="right"),
        Node(join, ["count", "titles"], "result", name="join"),
    ])
    return {"__default__": pipeline, "small": pipeline}
"""


class Project:
    """One generated project, and the ways in which its user runs it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.package = "journal_demo"
        self.sessions_path = path / "sessions"

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a fresh shell: nothing of ours, nothing of the tests'.

        Without the hint after a failure, for tests compare what is said.
        """
        left_out = ("KEDRO_", "PYTEST_", "COVERAGE_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
        ours = {"DO_NOT_TRACK": "1", "COLUMNS": "200", "KEDRO_JOURNAL_HINT": "0"}
        return {**kept, **ours, **(extra or {})}

    def start(
        self, *args: str, env: Mapping[str, str] | None = None, **more: Any
    ) -> subprocess.Popen[str]:
        """Start `kedro ARGS` in the project."""
        return subprocess.Popen(
            [*KEDRO, *args],
            cwd=self.path,
            env=self.environment(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **more,
        )

    def kedro(
        self, *args: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `kedro ARGS` in the project to its end."""
        return self._run([*KEDRO, *args], env)

    def python(
        self, code: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a script in the project, as a file: spawned workers import it again."""
        script = self.path / "script.py"
        script.write_text(code, encoding="utf-8")
        return self._run([sys.executable, str(script)], env)

    def ipython(
        self, typed: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Type cells into IPython."""
        return self._run(IPYTHON, env, typed)

    def journal(
        self, *args: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `kedro-journal ARGS` in the project."""
        return self._run([sys.executable, "-m", "kedro_journal", *args], env)

    def _run(
        self, command: list[str], env: Mapping[str, str] | None, typed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        whole = self.environment(env)
        with PRELOADED.turn(command, whole) as is_here:
            if is_here:
                return PRELOADED.run(
                    command, cwd=self.path, env=whole, typed=typed, timeout_s=TIMEOUT_S
                )
        return subprocess.run(
            command,
            cwd=self.path,
            env=whole,
            input=typed,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def settings(self, text: str) -> None:
        """Replace the project's settings.py."""
        path = self.path / "src" / self.package / "settings.py"
        path.write_text(text, encoding="utf-8")

    def level_0(self) -> None:
        """Take our session class out of the settings: nothing is set up for us."""
        path = self.path / "src" / self.package / "settings.py"
        kept = [
            line
            for line in path.read_text(encoding="utf-8").splitlines()
            if "kedro_journal" not in line and "SESSION_CLASS" not in line
        ]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")

    def nodes(self, text: str) -> None:
        """Give the project a pipeline of the test's own as `__default__`."""
        package = self.path / "src" / self.package
        (package / "probe.py").write_text(text, encoding="utf-8")
        (package / "pipeline_registry.py").write_text(
            f"from {self.package}.probe import make_pipelines as register_pipelines\n",
            encoding="utf-8",
        )

    def ids(self) -> list[str]:
        """Ids of the journaled sessions, oldest first."""
        return [s.session_id for s in self.states()][::-1]

    def states(self) -> list[SessionState]:
        """States of all sessions, newest first."""
        return list(kedro_journal.sessions(directory=self.sessions_path))

    def state(self, session_id: str = "latest") -> SessionState:
        """State of one session."""
        return kedro_journal.replay(session_id, directory=self.sessions_path)

    def verification(self, session_id: str = "latest") -> Verification:
        """Health of one journal."""
        return kedro_journal.verify(session_id, directory=self.sessions_path)

    def outputs(self) -> dict[str, bytes]:
        """Everything the pipeline wrote, by path; the version of a model left out."""
        found: dict[str, bytes] = {}
        for path in sorted((self.path / "data").rglob("*")):
            if path.is_file() and "01_raw" not in path.parts:
                parts = [p for p in path.parts if not _is_version(p)]
                found["/".join(parts[len(self.path.parts) :])] = path.read_bytes()
        return found

    def clear_outputs(self) -> None:
        """Delete everything the pipeline wrote."""
        for path in sorted((self.path / "data").iterdir()):
            if path.name != "01_raw":
                shutil.rmtree(path)
                path.mkdir()


def _is_version(part: str) -> bool:
    return len(part) == 24 and part[10] == "T" and part.endswith("Z")


def check_complete(
    project: Project, state: SessionState, *, all_runs: bool = True
) -> None:
    """Assert what a good run's journal must show, of all runs or of the last one."""
    verification = project.verification(state.session_id)
    assert verification.ok, verification.findings
    assert verification.findings == ()
    records = list(
        kedro_journal.records(state.session_id, directory=project.sessions_path)
    )
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert state.anomalies == ()
    assert state.unknown_events == 0
    types = [record.type for record in records]
    for run in state.runs if all_runs else state.runs[-1:]:
        nodes = sorted(run.nodes)
        for kind in ("node.started", "node.completed"):
            names = [
                record.event.node  # type: ignore[union-attr]
                for record in records
                if record.type == kind
                and record.event.run_id == run.run_id  # type: ignore[union-attr]
                and record.event.attempt == run.attempt  # type: ignore[union-attr]
            ]
            assert sorted(names) == nodes, kind
    assert types.count("session.closed") == 1


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out cells that add no value, unless they are named or asked for.

    `-m all_cells` runs all, the long ones too, but those of the matrix, `-m matrix` all of the matrix.
    """
    if any("::" in argument for argument in config.args):
        return
    wanted = config.getoption("markexpr")
    here = [item for item in items if HERE in item.path.parents]
    dropped: set[pytest.Item] = set()
    for item in here:
        marks = list(item.iter_markers("matrix"))
        if not marks:
            item.add_marker("all_cells")
        elif "matrix" not in wanted and not any(m.kwargs["always"] for m in marks):
            dropped.add(item)
    if "all_cells" not in wanted:
        dropped |= {item for item in here if item.get_closest_marker("long")}
        dropped |= left_out(
            i for i in here if i.get_closest_marker("all_cells") and i not in dropped
        )
    config.hook.pytest_deselected(items=list(dropped))
    items[:] = [item for item in items if item not in dropped]


def as_json(done: subprocess.CompletedProcess[str]) -> Any:
    """Read a command's answer."""
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout)


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as `kedro new` makes it, offline and without git."""
    folder = tmp_path_factory.mktemp("generated")
    done = subprocess.run(
        [*KEDRO, "new", "--starter", "journal-demo", "--name", "Journal Demo",
         "--telemetry", "no"],
        cwd=folder,
        env={**os.environ, "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "journal-demo"


@pytest.fixture
def project(generated: Path, tmp_path: Path) -> Project:
    """A copy of the project for one test."""
    path = tmp_path / "journal-demo"
    shutil.copytree(generated, path)
    return Project(path)


@pytest.fixture(scope="session")
def expected_outputs(
    generated: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """What the pipeline writes without us: the plugin switched off."""
    path = tmp_path_factory.mktemp("without") / "journal-demo"
    shutil.copytree(generated, path)
    project = Project(path)
    project.level_0()
    done = project.kedro("run", env={"KEDRO_JOURNAL_DISABLE": "1"})
    assert done.returncode == 0, done.stdout
    assert not project.sessions_path.exists()
    return project.outputs()


@pytest.fixture
def in_memory(project: Project) -> Project:
    """The project with a pipeline that writes no files."""
    project.nodes(IN_MEMORY)
    (project.path / "conf/base/parameters.yml").write_text("title: none\n")
    return project


# The second node does what the test says, in the journal's own directory.
MISCHIEF = """
import fcntl, os, shutil, signal, subprocess, sys, threading, time
from pathlib import Path
from kedro.pipeline import Node, Pipeline

SESSIONS = Path("sessions")

def first(title): return [title]
def act(rows, code):
    folder = max(SESSIONS.glob("2*"), default=SESSIONS)
    # Compiled first: exec of a text changes how Python exits after a Ctrl-C in it.
    exec(compile(code, "<told>", "exec"), {**globals(), "folder": folder})
    return [*rows, "acted"]
def more(rows): return rows
def last(rows): return {"rows": [*rows, "last"]}

def make_pipelines():
    return {"__default__": Pipeline([
        Node(first, "params:title", "one", name="first"),
        Node(act, ["one", "params:code"], "more0", name="act"),
        *[Node(more, f"more{n}", f"more{n + 1}", name=f"more{n}") for n in range(8)],
        Node(last, "more8", "result", name="last"),
    ])}
"""
RESULT = """
result:
  type: journal_demo.datasets.JSONDataset
  filepath: data/result.json
"""


class Way(NamedTuple):
    """How a project is run: with our hooks alone or our session class; which runner."""

    level: int
    runner: str


def ways(*wanted: str) -> pytest.MarkDecorator:
    """Run a test in ways such as `0-Sequential`; levels and runners take turns."""
    params = []
    for way in wanted:
        level, _, runner = way.partition("-")
        params.append(pytest.param(Way(int(level), f"{runner}Runner"), id=way))
    return pytest.mark.parametrize("way", params)


class Mischief(Project):
    """A project whose second node does what it is told."""

    def told(self, code: str) -> None:
        """Let the second node execute this code; `folder` is the session folder."""
        parameters = {"title": "none", "code": code}
        path = self.path / "conf/base/parameters.yml"
        path.write_bytes(msgspec.json.encode(parameters))  # JSON is YAML

    def last_waits(self, *statements: str) -> None:
        """Let the last node do this first."""
        path = self.path / "src" / self.package / "probe.py"
        head = "".join(f"    {statement}\n" for statement in statements)
        text = path.read_text().replace(
            "def last(rows): ", f"def last(rows):\n{head}    "
        )
        path.write_text(text)

    def go(self, way: Way, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the project in one of the ways."""
        if way.level == 0:
            self.level_0()
        return self.kedro("run", "-r", way.runner, env=env)

    def run_under(
        self, command: list[str], *args: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `kedro ARGS` to its end by another program."""
        return self._run([*command, *KEDRO, *args], env)

    def result(self) -> object:
        """What the pipeline came to; None if it did not get there."""
        path = self.path / "data/result.json"
        if not path.exists():
            return None
        return msgspec.json.decode(path.read_bytes())["rows"]

    def types(self) -> list[str]:
        """Types of the newest session's records."""
        found = kedro_journal.records("latest", directory=self.sessions_path)
        return [record.type for record in found]


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What we said, a message each, without its line breaks."""
    texts = (done.stdout + done.stderr).split("kedro-journal: ")[1:]
    return [" ".join(text.split()) for text in texts]


def make_mischief(generated: Path, folder: Path) -> Mischief:
    """Make a project whose second node does what it is told; nothing yet."""
    path = folder / "journal-demo"
    shutil.copytree(generated, path)
    made = Mischief(path)
    made.nodes(MISCHIEF)
    (path / "conf/base/catalog.yml").write_text(RESULT)
    made.told("")
    return made


@pytest.fixture
def mischief(generated: Path, tmp_path: Path) -> Mischief:
    """Such a project for one test."""
    return make_mischief(generated, tmp_path)


def _mount(place: Path, options: str) -> None:
    arguments = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if subprocess.run(arguments, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount")


@pytest.fixture
def small_disk(mischief: Mischief) -> Iterator[Path]:
    """The journal directory, on a disk of its own of 2 MB."""
    place = mischief.sessions_path
    place.mkdir(mode=0o700)
    _mount(place, "size=2m,mode=0700")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def read_only(mischief: Mischief) -> Iterator[Path]:
    """The journal directory, not to be written to, not even by root."""
    place = mischief.sessions_path
    place.mkdir(mode=0o700)
    if os.geteuid() != 0:
        place.chmod(0o500)
        yield place
        place.chmod(0o700)
        return
    _mount(place, "ro,mode=0700")
    yield place
    subprocess.run(["umount", str(place)], check=True)
