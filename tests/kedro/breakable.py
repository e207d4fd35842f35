"""A pipeline that dies where it is told to, and keeps an account of what ran."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from kedro_journal.journal import JournalDirectory

from .conftest import Project, as_json

__all__ = ["REPORT", "Breakable"]

# `split` holds one output in memory; `model` is versioned; a save can be cut in half.
PROBE = '''
import os, signal
from pathlib import Path
from kedro.io import AbstractVersionedDataset, AbstractDataset, Version
from kedro.pipeline import Node, Pipeline

def here(name):
    with open("ran.txt", "a") as file:
        file.write(name + "\\n")
    match os.environ.get("DIE", "").partition(":"):
        case (node, _, "kill") if node == name:
            os.kill(os.getpid(), signal.SIGKILL)
        case (node, _, "parent") if node == name:
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        case (node, _, "raise") if node == name:
            raise ValueError("told to")
        case (node, _, "exit") if node == name:
            raise SystemExit(3)
        case (node, _, "wait") if node == name:
            Path("waiting").touch()
            while Path("waiting").exists():
                pass

class TextDataset(AbstractVersionedDataset):
    def __init__(self, filepath, version=None, metadata=None):
        path = Path(filepath)
        super().__init__(path, Version(*version) if version else None)
    def _load(self):
        return Path(self._get_load_path()).read_text()
    def _save(self, data):
        path = Path(self._get_save_path())
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.environ.get("DIE") == f"{self._filepath.stem}:half":
            path.write_text(data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        path.write_text(data)
    def _exists(self):
        return Path(self._get_load_path()).exists()
    def _describe(self):
        return {"filepath": str(self._filepath)}

class SilentDataset(AbstractDataset):
    """It does not tell whether anything is there."""
    def __init__(self, filepath, metadata=None):
        self._filepath = Path(filepath)
    def _load(self):
        return self._filepath.read_text()
    def _save(self, data):
        self._filepath.write_text(data)
    def _describe(self):
        return {}

def split(raw):
    here("split")
    return raw.upper(), raw[::-1]

def clean(left, word):
    here("clean")
    return f"{left} {word}"

def train(table, right):
    here("train")
    return f"model of {table} and {right}"

def judge(model, word):
    here("judge")
    return f"verdict on {model}, {word}"

def report(verdict, table):
    here("report")
    return f"report: {verdict}; {table}"

def make_pipelines():
    pipeline = Pipeline([
        Node(split, "raw", ["left", "right"], name="split"),
        Node(clean, ["left", "params:word"], "table", name="clean"),
        Node(train, ["table", "right"], "model", name="train", tags="learn"),
        Node(judge, ["model", "params:deep.word"], "verdict", name="judge", tags="learn"),
        Node(report, ["verdict", "table"], "report", name="report"),
    ])
    return {"__default__": pipeline, "all": pipeline}
'''
CATALOG = """
raw: {type: journal_demo.probe.TextDataset, filepath: data/raw.txt}
left: {type: journal_demo.probe.TextDataset, filepath: data/left.txt}
table: {type: journal_demo.probe.TextDataset, filepath: data/table.txt}
model: {type: journal_demo.probe.TextDataset, filepath: data/model.txt, versioned: true}
"{name}rdict": {type: journal_demo.probe.SilentDataset, filepath: "data/{name}rdict.txt"}
report: {type: journal_demo.probe.TextDataset, filepath: data/report.txt}
"""
REPORT = (
    "report: verdict on model of SOME WORDS plain and sdrow emos, low; SOME WORDS plain"
)


class Breakable:
    """The pipeline in a project, and the ways to run, break and resume it."""

    def __init__(self, project: Project) -> None:
        project.nodes(PROBE)
        conf = project.path / "conf/base"
        (conf / "catalog.yml").write_text(CATALOG)
        (conf / "parameters.yml").write_text("word: plain\ndeep: {word: low}\n")
        (project.path / "conf/staging/parameters.yml").write_text("word: staged\n")
        (project.path / "data/raw.txt").write_text("some words")
        self.project = project
        self.path = project.path

    def run(self, *args: str, die: str = "") -> subprocess.CompletedProcess[str]:
        """Run `kedro run`, and let it die; forget what ran before."""
        self.ran()
        return self.project.kedro("run", *args, env={"DIE": die})

    def resume(self, *args: str, die: str = "") -> subprocess.CompletedProcess[str]:
        """Run `kedro-journal resume`."""
        return self.project.journal("resume", *args, env={"DIE": die})

    def plan(self, *args: str) -> dict[str, Any]:
        """Give the plan that a resumed run would carry out."""
        found: dict[str, Any] = as_json(self.resume("--dry-run", "--json", *args))
        return found

    def decided(self, *args: str) -> dict[str, str]:
        """Give the decisions of the plan by node."""
        return {d["name"]: d["decision"] for d in self.plan(*args)["decisions"]}

    def ran(self) -> list[str]:
        """Give the nodes that ran since this was last asked."""
        path = self.path / "ran.txt"
        lines = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def report(self) -> str:
        """Give what the last node wrote."""
        return (self.path / "data/report.txt").read_text()

    def data(self, name: str) -> Path:
        """Give the file of a dataset."""
        return self.path / "data" / f"{name}.txt"

    def edit(self, old: str, new: str) -> None:
        """Change the code of the pipeline."""
        path = self.path / "src/journal_demo/probe.py"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def folders(self) -> list[str]:
        """Give the session folders."""
        return JournalDirectory(self.project.sessions_path).ids()


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Read the JSON of a resumed run."""
    found: dict[str, Any] = json.loads(done.stdout)
    return found
