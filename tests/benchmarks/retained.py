"""What failed and completed sessions leave in the memory of one long-lived process.

    python tests/benchmarks/retained.py [SESSIONS [MEGABYTES]]

Runs SESSIONS failed and as many completed sessions, in which a node makes MEGABYTES of
data, without the journal and with it at both levels. Prints the growth of the resident
memory in MB and the growth of the number of descriptors and threads. No collection is
asked for: the garbage collector runs when Python runs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import kedro

PROBE = """
import os
from kedro.pipeline import Node, Pipeline

def make(size): return bytearray(b"x" * (size * 1_000_000))
def use(big):
    copy = bytes(big)
    if os.environ.get("FAILS"): raise RuntimeError("no")
    return len(copy)

def register_pipelines():
    return {"__default__": Pipeline([
        Node(make, "params:size", "big", name="make"),
        Node(use, "big", "out", name="use"),
    ])}
"""
DRIVER = """
import logging, os, sys, threading
from pathlib import Path
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from kedro.framework.project import settings
logging.disable(logging.WARNING)
def facts():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 // 1_000_000, len(os.listdir("/proc/self/fd")), threading.active_count()
def go(count):
    for fails in ("", "1"):
        os.environ["FAILS"] = fails
        for _ in range(count):
            try:
                with settings.SESSION_CLASS.create(Path.cwd()) as session:
                    session.run()
            except RuntimeError:
                pass
go(3)
before = facts()
go(int(sys.argv[1]))
print(*(now - then for now, then in zip(facts(), before)))
"""


def make_project(path: Path, level: int, megabytes: int) -> None:
    """Write a project of two nodes."""
    package = path / "src" / "retained"
    package.mkdir(parents=True)
    for name in ("base", "local"):
        (path / "conf" / name).mkdir(parents=True)
    (path / "conf/base/catalog.yml").touch()
    (path / "conf/base/parameters.yml").write_text(f"size: {megabytes}\n")
    (path / "pyproject.toml").write_text(
        '[tool.kedro]\npackage_name = "retained"\nproject_name = "retained"\n'
        f'kedro_init_version = "{kedro.__version__}"\n'
    )
    (package / "__init__.py").touch()
    (package / "pipeline_registry.py").write_text(PROBE)
    ours = (
        "from kedro_journal.session import KedroSession\nSESSION_CLASS = KedroSession\n"
    )
    (package / "settings.py").write_text(ours if level else "")


def measure(level: int, sessions: int, megabytes: int, **env: str) -> tuple[int, ...]:
    """Return the growth: MB of resident memory, descriptors, threads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        make_project(path, level, megabytes)
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, str(sessions)],
            cwd=path,
            env={**os.environ, "DO_NOT_TRACK": "1", **env},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return tuple(map(int, done.stdout.splitlines()[-1].split()))


def main() -> None:
    """Measure, and print a line for each way."""
    given = [int(argument) for argument in sys.argv[1:]]
    sessions, megabytes = (*given, *(200, 20)[len(given) :])
    print(f"{sessions} failed and {sessions} completed sessions of {megabytes} MB")
    ways: dict[str, tuple[int, dict[str, str]]] = {
        "without": (0, {"KEDRO_JOURNAL_DISABLE": "1"}),
        "level 0": (0, {}),
        "level 1": (1, {}),
    }
    for name, (level, env) in ways.items():
        memory, files, threads = measure(level, sessions, megabytes, **env)
        print(f"{name}: {memory:+d} MB, {files:+d} descriptors, {threads:+d} threads")


if __name__ == "__main__":
    main()
