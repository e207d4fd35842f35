"""Logging that a hook or node configures anew does not end the journaling of it."""

from __future__ import annotations

import pytest

from .conftest import Project

pytestmark = pytest.mark.kedro

PROBE = """
import logging, logging.config
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Node, Pipeline

def anew(how):
    if how == "force":
        logging.basicConfig(force=True, level="INFO")
    elif how == "dict":
        handlers = {"h": {"class": "logging.StreamHandler"}}
        root = {"handlers": ["h"], "level": "INFO"}
        logging.config.dictConfig({
            "version": 1, "disable_existing_loggers": False,
            "handlers": handlers, "root": root,
        })
    else:
        logging.getLogger().handlers.clear()
    assert how == "clear" or len(logging.getLogger().handlers) == 1

class Hooks:
    @hook_impl
    def before_pipeline_run(self):
        anew("HOW")

def first(p):
    logging.getLogger("mine").warning("first")
    anew("HOW")
    anew("HOW")
    if "HOW" != "clear":  # else nothing tells before the next hook
        logging.getLogger("mine").warning("at once")
    return p

def second(p):
    logging.getLogger("mine").warning("second")
    return p

def make_pipelines():
    return {"__default__": Pipeline([
        Node(first, "parameters", "x", name="first"),
        Node(second, "x", "y", name="second"),
    ])}
"""


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(
    ("how", "runner"),
    [
        ("force", "SequentialRunner"),
        ("force", "ThreadRunner"),
        ("force", "ParallelRunner"),
        ("dict", "SequentialRunner"),
        ("clear", "SequentialRunner"),
    ],
)
def test_log_records_are_journaled_all_the_same(
    project: Project, how: str, runner: str, level: int
) -> None:
    project.nodes(PROBE.replace("HOW", how))
    (project.path / "conf/base/catalog.yml").write_text("")
    settings = "from journal_demo.probe import Hooks\nHOOKS = (Hooks(),)\n"
    if level:
        settings += "from kedro_journal.session import KedroSession as SESSION_CLASS\n"
    project.settings(settings)

    done = project.kedro(
        "run", "-r", runner, env={"KEDRO_JOURNAL_LOG_LEVEL": "WARNING"}
    )

    assert done.returncode == 0, done.stdout
    notes = [note for note in project.state().notes if note.logger == "mine"]
    at_once = [] if how == "clear" else [("at once", "first")]
    assert [(note.text, note.node) for note in notes] == [
        ("first", "first"), *at_once, ("second", "second")
    ]  # fmt: skip


def test_nothing_of_ours_is_left_when_the_session_is_closed(project: Project) -> None:
    project.settings("")
    done = project.python(
        "import logging\n"
        "from kedro_journal.session import KedroSession\n"
        "made = logging.getLogRecordFactory()\n"
        "with KedroSession.create('journal_demo') as session:\n"
        "    logging.basicConfig(force=True)\n"
        "    assert len(logging.getLogger().handlers) == 1\n"
        "    logging.warning('one')\n"
        "    assert logging.getLogRecordFactory() is made\n"
        "    logging.basicConfig(force=True)\n"
        "assert logging.getLogRecordFactory() is made\n"
        "assert [type(h) for h in logging.getLogger().handlers]"
        " == [logging.StreamHandler]\n",
        env={"KEDRO_JOURNAL_LOG_LEVEL": "WARNING"},
    )

    assert done.returncode == 0, done.stderr
    assert [note.text for note in project.state().notes] == ["one"]
