"""Secrets planted in every field that a run can fill, in every form: none is written.

Each plant is a secret of its own, known by an environment variable or the credentials,
and put into one place in one encoding. The whole journal directory is searched for all
of them, in all encodings, byte by byte.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest

from kedro_journal.doctor.find import _texts, needles

from .conftest import Project

# Encodings that the redactor finds a registered value in. A further one belongs here
# as soon as it knows it; what is searched for on the disk is more in any case.
FORMS: Final = (
    *("plain", "base64", "URL-quoted", "JSON-escaped", "hex", "UTF-16", "reversed"),
)
# Known from the beginning, by the environment.
EARLY: Final = (
    *("argument", "label", "group id", "allowed variable", "runtime parameter"),
    # Kedro warns of a partial, with what it holds, before the catalog is made.
    *("git branch", "git diff", "partial"),
)
# Known when the catalog is made.
LATE: Final = (
    *("node name", "dataset name", "tag", "namespace", "path", "parameter"),
    *("parameter key", "list item", "note", "note field", "note key"),
    *("log record", "log exception", "message", "cause", "group", "error note"),
    *("source line", "snippet"),
)
NAMES: Final = frozenset(
    {"node name", "dataset name", "tag", "namespace", "git branch"}
)
LINES: Final = frozenset({"source line", "snippet", "git diff"})

PROBE = """
import functools, json, logging
from pathlib import Path
from kedro.pipeline import Node, Pipeline
import kedro_journal

PLANTS = json.loads(Path("plants.json").read_text())

def of(place):
    return [text for name, text in PLANTS.items() if name.startswith(place + "/")]

def work(title, lines, *held, **named):
    for text in of("note"):
        kedro_journal.note(f"a note of {text} for all")
    for text in of("note field"):
        kedro_journal.note("fields", value=text, deep=[{"inner": (text, 1)}])
    for text in of("note key"):
        kedro_journal.note("keys", held={text: 1})
    for text in of("log record"):
        logging.getLogger("mine").error("logged %s here", text)
    for text in of("log exception"):
        try:
            raise ValueError(f"handled {text}")
        except ValueError:
            logging.getLogger("mine").exception("it failed")
    return 1

def fail(first):
    try:
        raise KeyError(" and ".join(of("cause")))
    except KeyError as error:
        group = ExceptionGroup(
            "several", [ValueError(text) for text in of("group")] + [OSError("x")]
        )
        group.__cause__ = error
        for text in of("error note"):
            group.add_note(f"noted {text}")
        # SNIPPET
        raise RuntimeError("; ".join(of("message"))) from group  # SOURCE

def make_pipelines():
    first = functools.partial(work, *of("partial"))
    inner = Pipeline([Node(
        first, ["params:title", "params:lines"], "first", name="first",
        tags=[text.replace(",", ".") for text in of("tag")],
    )])
    nodes = [
        Node(functools.partial(work, number), ["params:title", "params:lines"],
             f"d_{dataset}", name=f"n_{name}", namespace=namespace)
        for number, (name, dataset, namespace)
        in enumerate(zip(of("node name"), of("dataset name"), of("namespace")))
    ]
    return {"__default__": inner + Pipeline([*nodes, Node(fail, "first", "end", name="fail")])}
"""


def secret_of(number: int, place: str) -> str:
    """Return a secret that looks like one, or that a name may hold."""
    tail = "" if place in NAMES or place in LINES else '"\\/+ ä'
    return f"Zq{number:03d}Wv9Xk3{tail}Lm5Np2R{number * 7919 % 997:03d}"


def encoded(form: str, secret: str) -> str:
    raw = secret.encode()
    return {
        "plain": secret,
        "base64": base64.urlsafe_b64encode(raw).decode(),
        "URL-quoted": quote(secret, safe=""),
        "JSON-escaped": json.dumps(secret)[1:-1],
        "hex": raw.hex(),
        # A name cannot hold nulls.
        "UTF-16": base64.urlsafe_b64encode(secret.encode("utf-16-le")).decode(),
        "reversed": secret[::-1],
    }[form]


class Plants:
    """The secrets, and where each is put."""

    def __init__(self) -> None:
        wanted = [(place, form) for place in (*EARLY, *LATE) for form in FORMS]
        self.secrets = {
            f"{place}/{form}": secret_of(number, place)
            for number, (place, form) in enumerate(wanted)
        }
        self.texts = {
            name: encoded(name.partition("/")[2], secret)
            for name, secret in self.secrets.items()
        }

    def of(self, place: str) -> list[str]:
        return [t for name, t in self.texts.items() if name.startswith(f"{place}/")]

    def environment(self) -> dict[str, str]:
        early = [n for n in self.secrets if n.partition("/")[0] in EARLY]
        return {f"PLANT_{i}_TOKEN": self.secrets[n] for i, n in enumerate(early)}

    def credentials(self) -> Mapping[str, object]:
        late = [n for n in self.secrets if n.partition("/")[0] in LATE]
        return {f"c{i}": {"password": self.secrets[n]} for i, n in enumerate(late)}


def make_project(project: Project, plants: Plants) -> None:
    path = project.path
    (path / "plants.json").write_text(json.dumps(plants.texts))
    shown = "\n        ".join(f"# {text}" for text in plants.of("snippet"))
    source = "".join(f" {text}" for text in plants.of("source line"))
    text = PROBE.replace("# SNIPPET", shown).replace("# SOURCE", f"#{source}")
    project.nodes(text)
    (path / "conf/local").mkdir(exist_ok=True)
    (path / "conf/local/credentials.yml").write_text(json.dumps(plants.credentials()))
    parameters = {
        "title": {"value": plants.of("parameter")},
        "lines": plants.of("list item"),
        "keys": dict.fromkeys(plants.of("parameter key"), 1),
    }
    (path / "conf/base/parameters.yml").write_text(json.dumps(parameters))
    catalog = {
        f"place_{number}": {
            "type": "json.JSONDataset",
            "filepath": f"data/{text}/x.json",
        }
        for number, text in enumerate(plants.of("path"))
    }
    catalog["first"] = {"type": "json.JSONDataset", "filepath": "data/first.json"}
    (path / "conf/base/catalog.yml").write_text(json.dumps(catalog))
    settings = path / "pyproject.toml"
    settings.write_text(
        settings.read_text()
        + '\n[tool.kedro_journal]\nlog_level = "INFO"\ngit_diff = true\n'
        'environment = ["KEDRO_*", "ALLOWED_*"]\n'
    )
    _commit(path, plants)


def _commit(path: Path, plants: Plants) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.email=a@example.org", "-c", "user.name=n")
        command = ["git", *who, *arguments]
        subprocess.run(command, cwd=path, check=True, capture_output=True)

    (path / "changed.txt").write_text("before\n")
    (path / "conf/base/credentials_more.yml").write_text("a: {b: c}\n")
    git("init", "-q")
    git("add", "-f", "changed.txt", "conf/base/credentials_more.yml", "pyproject.toml")
    git("commit", "-qm", "x")
    branch = "-".join(t for t in plants.of("git branch") if not set(t) & set("=%+/"))
    git("checkout", "-qb", f"work-{branch}")
    (path / "changed.txt").write_text("\n".join(plants.of("git diff")))
    (path / "conf/base/credentials_more.yml").write_text("a: {b: UnknownCanary}\n")


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(
    "runner", ["SequentialRunner", "ThreadRunner", "ParallelRunner"]
)
def test_no_plant_is_written(project: Project, runner: str, level: int) -> None:
    plants = Plants()
    assert len(plants.secrets) >= 80
    make_project(project, plants)
    if level == 0:
        project.level_0()
    env = {
        **plants.environment(),
        **{f"ALLOWED_{i}": t for i, t in enumerate(plants.of("allowed variable"))},
        "KEDRO_JOURNAL_GROUP_ID": " ".join(plants.of("group id")),
        "KEDRO_JOURNAL_LABELS": f"team={plants.of('label')[0]}",
    }
    params = [f"p{i}={t}" for i, t in enumerate(plants.of("runtime parameter"))]
    named = [f"a{i}={t}" for i, t in enumerate(plants.of("argument"))]
    arguments = ["-r", runner, "--params", ",".join(params + named)]

    done = project.kedro("run", *arguments, env=env)

    assert project.state().runs, done.stdout + done.stderr
    state = project.state()
    assert "failed" == state.runs[0].nodes["fail"].status, done.stdout + done.stderr
    assert 1 + len(FORMS) + 1 == len(state.runs[0].nodes), (
        "names with a secret stay apart"
    )
    done_nodes = [n for n in state.runs[0].nodes.values() if n.status == "completed"]
    assert all(n.plan is not None for n in done_nodes)
    assert state.git is not None
    assert "git.diff" == state.git.diff_file
    assert len(state.notes) >= 5 * len(FORMS)
    assert () == state.anomalies
    written = everything(project.sessions_path)
    leaks = [
        (name, form, _around(written, one))
        for name, secret in plants.secrets.items()
        for form, some in needles(secret).items()
        for one in some
        if one in written
    ]
    assert [] == leaks
    assert not any(one in written for one in needles("UnknownCanary")["plain"])


def everything(folder: Path) -> bytes:
    """Return the bytes of all files, and what the texts in their lines decode to."""
    found: list[bytes] = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        found.append(data)
        if path.suffix == ".jsonl":
            for line in data.splitlines():
                texts = (text for _, text in _texts(json.loads(line), ""))
                found += [text.encode() for text in texts]
    return b"\n".join(found)


def _around(data: bytes, needle: bytes) -> bytes:
    at = data.index(needle)
    return data[max(0, at - 200) : at + len(needle) + 20]
