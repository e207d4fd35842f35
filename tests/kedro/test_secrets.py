"""Secrets planted wherever a run meets them: none is found in the journal folder."""

from __future__ import annotations

import pytest

from .conftest import Project

# Each one must be found nowhere. They look like ordinary words on purpose: nothing
# but where they stand tells that they are secret.
PARAM = "canaryparamvalue"
NESTED = "canarynestedvalue"
ALLOWED = "canaryallowedvalue"
NOT_ALLOWED = "canarynotallowed"
ENV_SECRET = "canaryenvsecret"
IN_MESSAGE = "canaryinmessage"
URL = "canaryurlpassword"
CREDENTIAL = "canarycredential"
PLACED = (PARAM, NESTED, ALLOWED, NOT_ALLOWED, ENV_SECRET, IN_MESSAGE, URL, CREDENTIAL)

NODES = f"""
import os
from kedro.pipeline import Node, Pipeline

def leak(db, credential):
    raise RuntimeError(
        "cannot log in with password={IN_MESSAGE} at "
        "https://user:{URL}@example.org/x and " + db["db_password"] + " or "
        + db["inner"]["api_key"] + " or " + credential
        + " or " + os.environ["SERVICE_TOKEN"]
    )

def read(x):
    from kedro.framework.project import settings
    import yaml
    return yaml.safe_load(open("conf/local/credentials.yml"))["warehouse"]["pw_value"]

def make_pipelines():
    return {{"__default__": Pipeline([
        Node(read, "params:db", "credential", name="read"),
        Node(leak, ["params:db", "credential"], "x", name="leak"),
    ])}}
"""


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("runner", ["SequentialRunner", "ThreadRunner", "spawn"])
def test_no_planted_secret_reaches_the_journal_folder(
    project: Project, runner: str, level: int
) -> None:
    project.nodes(NODES)
    if level == 0:
        project.level_0()
    (project.path / "conf/local").mkdir(exist_ok=True)
    (project.path / "conf/local/credentials.yml").write_text(
        f"warehouse:\n  pw_value: {CREDENTIAL}\n  user: somebody\n"
    )
    arguments = ["--params", f"db.db_password={PARAM},db.inner.api_key={NESTED}"]
    env = {
        "KEDRO_SECRET_KEY": ALLOWED,
        "OTHER_PASSWORD": NOT_ALLOWED,
        "SERVICE_TOKEN": ENV_SECRET,
        "KEDRO_MP_CONTEXT": "spawn",
    }
    if runner == "spawn":
        arguments += ["-r", "ParallelRunner"]
    else:
        arguments += ["-r", runner]

    assert 1 == project.kedro("run", *arguments, env=env).returncode

    state = project.state()
    assert "failed" == state.runs[0].nodes["leak"].status
    error = state.runs[0].nodes["leak"].error
    assert error is not None
    assert "cannot log in with" in error.message
    assert "@example.org" in error.message
    assert "[redacted]" in error.message
    assert "[redacted]" == state.environment["KEDRO_SECRET_KEY"]
    assert "OTHER_PASSWORD" not in state.environment
    for path in project.sessions_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found = [secret for secret in PLACED if secret.encode() in content]
            # The project's own source shows in the traceback's source lines: what
            # is written into the code in plain text is masked there as well.
            assert [] == found, path
