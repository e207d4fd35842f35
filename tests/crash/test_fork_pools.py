"""Being installed must not break anybody's pool of forked processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys, threading, multiprocessing
from pathlib import Path
from kedro_journal.config import load_config
from kedro_journal.events import NoteAdded
from kedro_journal.session import KedroSession  # and with it Kedro
from kedro_journal.recording.opening import open_journal

session = open_journal("s", Path(sys.argv[1]), load_config(None))
session.recorder.record(NoteAdded(text="before"))
context = multiprocessing.get_context("fork")
errors = []

def use_pools():
    for _ in range(6):
        try:
            with context.Pool(2) as pool:
                found = pool.map_async(abs, range(-20, 0)).get(60)
            assert found == list(range(20, 0, -1)), found
        except BaseException as error:
            errors.append(repr(error))

threads = [threading.Thread(target=use_pools) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
session.recorder.record(NoteAdded(text="after"))
session.recorder.close()
Path(sys.argv[1], "errors").write_text("\\n".join(errors))  # Kedro logs to stdout
"""


def errors_of_pools(folder: Path, **settings: str) -> list[str]:
    """Start pools in six threads after an append; give what went wrong."""
    folder.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KEDRO_")}
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, folder],
        env={**environment, "DO_NOT_TRACK": "1", **settings},
        check=True,
        timeout=200,
    )
    notes = (folder / "sessions" / "s" / "journal.jsonl").read_text("utf-8")
    assert '"text":"before"' in notes
    assert '"text":"after"' in notes
    return (folder / "errors").read_text("utf-8").splitlines()


def test_pools_that_threads_fork_go_on_with_a_journal_open(tmp_path: Path) -> None:
    assert errors_of_pools(tmp_path / "project") == []


@pytest.mark.skipif(
    sys.version_info < (3, 12), reason="before CPython 3.12 filelock disturbs no fork"
)
def test_with_filelock_those_pools_would_break(tmp_path: Path) -> None:
    """Teeth: once filelock releases do no harm, `auto` may take it everywhere."""
    errors: list[str] = []
    for number in range(5):  # two forks must meet
        errors = errors_of_pools(
            tmp_path / f"{number}", KEDRO_JOURNAL_LOCK_BACKEND="filelock"
        )
        if errors:
            break
    assert errors
    assert any("fork" in error for error in errors)
