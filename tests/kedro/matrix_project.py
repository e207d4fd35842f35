"""The project that the matrix runs: three nodes, one of which does as it is told."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .conftest import Project

NODES = """
import os, resource, signal, sys, threading, time
from kedro.pipeline import Node, Pipeline

def first(how):
    return how

def act(one, table):
    if one == "raise" or one == "raise beside":
        raise LookupError("boom in a node")
    if one == "interrupt":
        raise KeyboardInterrupt
    if one == "exit":
        sys.exit(3)
    if one == "memory":
        hoard()
    if one == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if one == "wait":
        wait()
    return table, 2

def hoard():
    pages = int(open("/proc/self/statm").read().split()[0])
    most = pages * resource.getpagesize() + 2**27
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    kept = []  # as long as the exception is: by the frames of its traceback
    try:
        while True:
            kept.append(bytearray(2**24))
    except MemoryError:
        del kept[-2:]  # IPython has to live on
        raise

def wait():
    # A Ctrl-C that comes while a pool starts a thread leaves that thread behind.
    while threading.current_thread().name.startswith("ThreadPool"):
        calls = names(sys._current_frames()[threading.main_thread().ident])
        if "wait" in calls and "submit" not in calls:
            break
        time.sleep(0.001)
    os.write(1, f"WAITING {os.getpid()}\\n".encode())
    open("go").read()  # until somebody writes there, or opens it to write

def names(frame):
    return [] if frame is None else [frame.f_code.co_name, *names(frame.f_back)]

def beside(one):
    if one == "raise beside":
        open("go").read()  # until the other one's failure was seen
    return 3

def last(two, three):
    return [two, three]

def make_pipelines():
    nodes = [
        Node(first, "params:how", "one", name="first"),
        Node(act, ["one", "table"], ["report", "two"], name="act"),
        Node(beside, "one", "three", name="beside"),
        Node(last, ["two", "three"], "four", name="last"),
    ]
    if os.environ.get("MATRIX_INPUT"):
        nodes.append(Node(last, ["one", "nowhere"], "five", name="hungry"))
    return {"__default__": Pipeline(nodes)}
"""

CATALOG = """
table: {type: journal_demo.datasets.CSVTableDataset, filepath: data/table.csv}
report: {type: journal_demo.datasets.CSVTableDataset, filepath: data/report.csv}
"""

# Found by its entry point, so that worker processes find it as well.
PLUGIN = """
import os
from kedro.framework.hooks import hook_impl

class Noisy:
    def act(self, when):
        if os.environ.get("MATRIX_PLUGIN") == when:
            raise OSError(f"another plugin, {when}")

    @hook_impl
    def before_pipeline_run(self):
        self.act("before the run")

    @hook_impl
    def after_node_run(self, node):
        if node.name == "act":
            self.act("in the run")

    @hook_impl
    def after_pipeline_run(self):
        self.act("after the run")

    @hook_impl(trylast=True)
    def on_node_error(self, error):
        if os.environ.get("MATRIX_PLUGIN") == "lets go":
            open("go", "w").close()

noisy = Noisy()
"""
ENTRY_POINTS = "[kedro.hooks]\nnoisy = noisy_plugin:noisy\n"

# Nothing is logged but warnings: it takes time, and is not what is looked at.
LOGGING = """
version: 1
disable_existing_loggers: false
handlers: {console: {class: logging.StreamHandler, stream: ext://sys.stdout}}
loggers: {}
root: {handlers: [console], level: WARNING}
"""


def make_project(generated: Path, path: Path) -> Project:
    """Make the project from the generated one, whose datasets it uses.

    Args:
        generated: The project as `kedro new` made it.
        path: Where to make this one.
    """
    shutil.copytree(generated, path, ignore=shutil.ignore_patterns("data", "pipelines"))
    project = Project(path)
    project.nodes(NODES)
    (path / "conf/base/catalog.yml").write_text(CATALOG)
    (path / "data").mkdir()
    (path / "data/table.csv").write_text("k\na\nb\n")
    (path / "logging.yml").write_text(LOGGING)
    info = path / "plugin" / "noisy_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: noisy\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (path / "plugin" / "noisy_plugin.py").write_text(PLUGIN)
    return project


def copy_project(template: Project, path: Path, *, level: int, how: str) -> Project:
    """Copy the project for one cell: the session class of a level, what to do."""
    shutil.copytree(template.path, path)
    (path / "conf/base/parameters.yml").write_text(f"how: {how}\n")
    os.mkfifo(path / "go")
    project = Project(path)
    if level == 0:
        project.level_0()
    return project


def environment(project: Project) -> dict[str, str]:
    """The variables of every process of a cell."""
    paths = [str(project.path / "plugin"), os.environ.get("PYTHONPATH", "")]
    return {
        "KEDRO_LOGGING_CONFIG": str(project.path / "logging.yml"),
        "IPYTHONDIR": str(project.path / ".ipython"),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONWARNINGS": "ignore",
        "PYTHONUNBUFFERED": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
