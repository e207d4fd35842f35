"""Installations that are broken, and those where we are switched off."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from .conftest import Mischief, Project, Way, said, ways

BROKEN = {
    "missing": "raise ModuleNotFoundError(\"No module named 'it'\", name='it')\n",
    "broken": "1 / 0\n",
    "old": "",  # a module of that name, and nothing in it
}
PACKAGES = ["filelock", "msgspec"]


@pytest.fixture
def broken(tmp_path: Path, package: str, kind: str) -> dict[str, str]:
    """An environment in which a package of that name does not import."""
    folder = tmp_path / "broken"
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text(BROKEN[kind])
    rest = os.environ.get("PYTHONPATH", "")
    found = {"PYTHONPATH": os.pathsep.join(filter(None, [str(folder), rest]))}
    if package == "filelock":  # on Unix nothing else needs it
        found["KEDRO_JOURNAL_LOCK_BACKEND"] = "filelock"
    return found


@pytest.mark.kedro
@pytest.mark.parametrize("kind", ["missing", "broken", "old"])
@pytest.mark.parametrize("package", PACKAGES)
@ways("0-Sequential", "1-Parallel")
def test_a_dependency_that_does_not_import_stops_no_run(
    mischief: Mischief, way: Way, broken: dict[str, str]
) -> None:
    done = mischief.go(way, **broken)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert ["none", "acted", "last"] == mischief.result()
    (warning,) = said(done)
    assert "The run goes on." in warning
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.kedro
@pytest.mark.parametrize("kind", ["missing"])
@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("command", ["--version", "registry list"])
@pytest.mark.parametrize("level", [0, 1])
def test_a_dependency_that_does_not_import_is_not_spoken_of_elsewhere(
    mischief: Mischief, level: int, command: str, broken: dict[str, str]
) -> None:
    if level == 0:
        mischief.level_0()
    done = mischief.kedro(*command.split(), env=broken)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert [] == said(done)
    assert "journal" not in done.stderr.replace("journal_demo", "").replace(
        str(mischief.path), ""
    )


@pytest.mark.kedro
@pytest.mark.parametrize(("package", "kind"), [("filelock", "missing")])
@ways("0-Sequential", "1-Sequential")
def test_strict_fails_where_a_dependency_is_missing(
    mischief: Mischief, way: Way, broken: dict[str, str]
) -> None:
    done = mischief.go(way, KEDRO_JOURNAL_STRICT="1", **broken)

    assert 1 == done.returncode
    assert "JournalUnwritable" in done.stdout + done.stderr
    assert mischief.result() is None


@pytest.mark.kedro
@pytest.mark.parametrize(("package", "kind"), [("msgspec", "missing")])
@pytest.mark.parametrize("by", ["variable", "table"])
@ways("0-Sequential", "1-Sequential")
def test_strict_is_heeded_where_the_settings_cannot_be_read(
    mischief: Mischief, way: Way, by: str, broken: dict[str, str]
) -> None:
    if by == "variable":
        broken["KEDRO_JOURNAL_STRICT"] = "1"
    else:
        with (mischief.path / "pyproject.toml").open("a") as file:
            file.write("\n[tool.kedro_journal]\nstrict = true\n")
    done = mischief.go(way, **broken)

    assert 1 == done.returncode
    assert "cannot journal here, and `strict` is set" in done.stdout + done.stderr
    assert "The run goes on." not in done.stdout + done.stderr
    assert mischief.result() is None


@pytest.mark.kedro
@pytest.mark.parametrize(("package", "kind"), [("msgspec", "missing")])
@ways("0-Sequential", "1-Sequential")
def test_switched_off_nothing_is_said_where_a_dependency_is_missing(
    mischief: Mischief, way: Way, broken: dict[str, str]
) -> None:
    done = mischief.go(
        way, KEDRO_JOURNAL_DISABLE="1", KEDRO_JOURNAL_STRICT="1", **broken
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert [] == said(done)
    assert ["none", "acted", "last"] == mischief.result()


# What a node sees of us in its process: threads, signal handlers, modules, descriptors.
LOOK = """
import signal, threading, json
from pathlib import Path
pid = os.fork()
if not pid:
    os._exit(threading.active_count())
open_files = [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
Path("seen.json").write_text(json.dumps({
    "threads": [t.name for t in threading.enumerate()],
    "of the child": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]),
    "handled": signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL,
    "filelock": "filelock" in sys.modules,
    "open": [name for name in open_files if "sessions" in name],
    "variable": [name for name in os.environ if "KEDRO_JOURNAL_S" in name],
}))
"""


def seen(project: Project) -> dict[str, object]:
    import msgspec

    found: dict[str, object] = msgspec.json.decode(
        (project.path / "seen.json").read_bytes()
    )
    return found


@pytest.mark.kedro
@ways("0-Sequential", "1-Sequential")
def test_switched_off_there_is_no_trace_of_us(mischief: Mischief, way: Way) -> None:
    mischief.told(LOOK)
    env = {"KEDRO_JOURNAL_DURABILITY": "group"}
    done = mischief.go(way, KEDRO_JOURNAL_DISABLE="1", **env)

    assert 0 == done.returncode, done.stdout
    assert [] == said(done)
    assert not mischief.sessions_path.exists()
    assert {
        "threads": ["MainThread"],
        "of the child": 1,
        "handled": False,
        "filelock": False,
        "open": [],
        "variable": [],
    } == seen(mischief)

    assert 0 == mischief.go(way, **env).returncode  # what it looks like otherwise
    on = seen(mischief)
    assert ["MainThread", "kedro-journal-sync"] == on["threads"]
    assert on["handled"]
    assert on["open"]


RUNS = """
from pathlib import Path
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
{imports}
with KedroSession.create() as session:
    print("result", session.run())
with KedroSession.create(runtime_params={{"title": "again"}}) as session:
    session.run(runner=None)
"""


@pytest.mark.kedro
@pytest.mark.parametrize("off", ["kedro-settings", "variable"])
@pytest.mark.parametrize("level", [0, 1])
def test_switched_off_session_run_journals_nothing(
    mischief: Mischief, level: int, off: str
) -> None:
    env = {}
    if off == "variable":
        env["KEDRO_JOURNAL_DISABLE"] = "1"
    else:
        mischief.settings('DISABLE_HOOKS_FOR_PLUGINS = ("kedro-journal",)\n')
    package = "kedro_journal" if level else "kedro.framework"
    imports = f"from {package}.session import KedroSession"
    done = mischief.python(RUNS.format(imports=imports), env=env)

    assert 0 == done.returncode, done.stderr
    assert ["again", "acted", "last"] == mischief.result()
    assert not mischief.sessions_path.exists()
    assert [] == said(done)


LIGHT = """
import sys
from pathlib import Path
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from kedro_journal.session import KedroSession
from kedro_journal import active
session = KedroSession.create()
with session:
    with session:
        pass
    inner = active.innermost() is session
    session.run()
ours = ("msgspec", "kedro_journal.events", "kedro_journal.state", "kedro_journal.hooks")
print("found", inner, active.innermost(), [name for name in ours if name in sys.modules])
"""


@pytest.mark.kedro
def test_switched_off_the_session_class_imports_nothing_to_journal_with(
    mischief: Mischief,
) -> None:
    """Its blocks nest as those of a journaled session do."""
    done = mischief.python(LIGHT, env={"KEDRO_JOURNAL_DISABLE": "1"})

    assert 0 == done.returncode, done.stderr
    assert "found True None []" in done.stdout


def test_this_python_has_the_packages_that_are_broken_here() -> None:
    """Teeth: else the tests above would pass for another reason."""
    import filelock
    import msgspec

    assert {"filelock", "msgspec"} <= sys.modules.keys()
    assert filelock.__version__
    assert msgspec.__version__
