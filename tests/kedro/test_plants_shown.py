"""Secrets that nobody registered, through a run, its resume and every view of both.

A secret is known here by its name, by its form or by what it stands in. What is
searched is every file under the journal directory, and the whole output of every
command that reads the journal.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from kedro_journal.cli import journal
from kedro_journal.doctor.find import needles

from .conftest import Project
from .test_plants import _around, everything

PLACES: Final = (
    *("remote", "credential", "described", "nested", "url", "older", "newer"),
    *(
        "runtime",
        "again",
        "environment",
        "header",
        "noted",
        "message",
        "source",
        "label",
    ),
    *("held", "frame", "catalog", "chain"),
)
SECRETS: Final = {
    place: f"Hafer{number:02d}flocke{number * 7919 % 997:03d}"
    for number, place in enumerate(PLACES)
} | {
    "tag": "sk-proj-9aK2mQ7xV4tR1zW8nL5bY3cU6dH0sJ",
}

PROBE = """
import logging, os
from pathlib import Path
from kedro.io import AbstractDataset, DatasetError
from kedro.pipeline import Node, Pipeline
import kedro_journal

class Leaky(AbstractDataset):
    def __init__(self, *, credentials=None, options=None, metadata=None):
        self.dsn = f"postgresql://etl:{credentials['word']}@db.example.org/core"
        self.options = options
    def load(self):
        return 1
    def save(self, data):
        if Path("broken").exists():
            raise DatasetError(f"cannot write to {self}")
    def _exists(self):
        return False
    def _describe(self):
        return {"dsn": self.dsn, "api_token": "DESCRIBED", "options": self.options}
    def __repr__(self):
        return f"Leaky(dsn={self.dsn!r}, password='DESCRIBED')"

class Client:
    def __init__(self, password):
        self.password = password
    def __repr__(self):
        return f"Client(password={self.password!r})"

def work(db):
    logging.getLogger("mine").error("send: Authorization: Bearer HEADER")
    logging.getLogger("mine").error("key %s", os.environ["PLANTED_APIKEY"])
    kedro_journal.note("connected", dsn="host=db user=etl password=NOTED port=5432")
    kedro_journal.note("held", client={"passwd": "HELD", "rows": 3})
    return Client("FRAME")

def fail(first):
    secret_key = "FRAME"
    if not Path("broken").exists():
        return 1
    try:
        raise ConnectionError("redis://:CHAIN@cache.example.org:6379/0 refused")
    except ConnectionError as error:
        raise RuntimeError("login failed: password=MESSAGE db=core") from error  # pwd="SOURCE"

def make_pipelines():
    named = Node(work, "params:db", "first", name="work", tags=["TAG"])
    inner = Node(fail, "first", "second", name="fail", namespace="space")
    return {"__default__": Pipeline([named, inner, Node(lambda x: x, "second", "leaky", name="end")])}
"""


def set_parameters(project: Project, password: str) -> None:
    parameters = {
        "db": {
            "password": password,
            "host": "db.example.org",
            "deep": [{"client_secret": SECRETS["nested"]}],
            "url": f"https://etl:{SECRETS['url']}@api.example.org/v1",
        }
    }
    (project.path / "conf/base/parameters.yml").write_text(json.dumps(parameters))


def make_project(project: Project) -> None:
    path = project.path
    words = {
        "DESCRIBED": "described",
        "HEADER": "header",
        "NOTED": "noted",
        "HELD": "held",
        "FRAME": "frame",
        "CHAIN": "chain",
        "MESSAGE": "message",
        "SOURCE": "source",
        "TAG": "tag",
    }
    text = PROBE
    for word, place in words.items():
        text = text.replace(word, SECRETS[place])
    project.nodes(text)
    (path / "conf/local").mkdir(exist_ok=True)
    (path / "conf/local/credentials.yml").write_text(
        json.dumps({"db": {"word": SECRETS["credential"]}})
    )
    catalog = {
        "leaky": {
            "type": "journal_demo.probe.Leaky",
            "credentials": "db",
            "options": {"sas_token": SECRETS["catalog"], "rows": 3},
        }
    }
    (path / "conf/base/catalog.yml").write_text(json.dumps(catalog))
    settings = path / "pyproject.toml"
    settings.write_text(
        settings.read_text() + '\n[tool.kedro_journal]\nlog_level = "INFO"\n'
    )


def git(path: Path) -> None:
    remote = f"https://bot:{SECRETS['remote']}@git.example.org/a.git"
    who = ("-c", "user.email=a@example.org", "-c", "user.name=n")
    for command in (
        ["init", "-q"],
        ["remote", "add", "origin", remote],
        ["add", "pyproject.toml"],
        ["commit", "-qm", "x"],
    ):
        subprocess.run(["git", *who, *command], cwd=path, check=True)


def views(project: Project) -> dict[str, str]:
    """Return the output of every command that reads journals."""
    runner = CliRunner()
    where = ["--directory", str(project.sessions_path)]
    commands: list[list[str]] = [
        *(["show"], ["show", "--json"], ["show", "--chain"], ["show", "--timeline"]),
        *(["why"], ["why", "--all", "--json"], ["diff", "@-1", "@-2"]),
        *(["diff", "@-1", "@-2", "--json"], ["replay", "--step", "--json"]),
        *(["replay", "--parameters", "--all-nodes"], ["tail", "-n", "500"]),
        *(["tail", "-n", "500", "--json"], ["report", "-o", "-"], ["command"]),
        *(["command", "--json"], ["trace", "params:db"], ["list", "--json"]),
        *(["trace", "leaky", "--json"], ["trace", "params:db.password"]),
        *(["verify", "--all", "--json"], ["explain", "data/none.json"]),
    ]
    found: dict[str, str] = {}
    for command in commands:
        name, *rest = command
        for session in project.ids():
            takes_one = name not in ("list", "diff", "verify", "explain")
            one = [session] if takes_one else []
            done = runner.invoke(journal, [name, *one, *rest, *where])
            assert done.exit_code < 20, (command, done.output, done.exception)
            found[f"{' '.join(command)} {session}"] = done.output
    return found


@pytest.mark.kedro
def test_no_secret_is_shown(project: Project) -> None:
    make_project(project)
    set_parameters(project, SECRETS["older"])
    git(project.path)
    env = {
        "PLANTED_APIKEY": SECRETS["environment"],
        "KEDRO_JOURNAL_LABELS": f"team=data,db_password={SECRETS['label']}",
    }
    runtime = f"db.token={SECRETS['runtime']},db.rows=3"
    good = project.kedro("run", "--params", runtime, env=env)
    assert "completed" == project.state().verdict, good.stdout + good.stderr

    set_parameters(project, SECRETS["newer"])
    (project.path / "broken").touch()
    bad = project.kedro("run", "--params", runtime, env=env)
    assert "failed" == project.state().verdict, bad.stdout + bad.stderr
    first = project.state().session_id
    said = [project.journal("resume", first, "--dry-run", env=env)]
    assert "db.token is a secret" in said[0].stderr
    (project.path / "broken").unlink()
    more = ("--params", f"db.token={SECRETS['again']}")
    said += [
        project.journal("resume", first, "--json", "--dry-run", *more, env=env),
        project.journal("resume", first, *more, env=env),
        project.journal("rerun", first, *more, env=env),
        project.journal("rerun", first, env=env),
    ]
    assert [0, 0, 0] == [one.returncode for one in said[1:4]]
    verdicts = [state.verdict for state in project.states()]
    assert ["completed", "completed", "failed", "completed"] == verdicts[-4:]

    outputs: dict[str, Any] = views(project)
    for number, one in enumerate(said[:2]):  # the user's code logs in the others
        outputs[f"resume {number}"] = one.stdout + one.stderr
    outputs["files"] = everything(project.sessions_path)
    texts = {
        name: text if isinstance(text, bytes) else text.encode()
        for name, text in outputs.items()
    }
    leaks = [
        (place, name, _around(text, needle))
        for place, secret in SECRETS.items()
        for some in needles(secret).values()
        for needle in some
        for name, text in texts.items()
        if needle in text
    ]
    assert [] == leaks
    assert b"db.example.org" in texts["files"]
    assert b"send: Authorization: [redacted]" in texts["files"]
