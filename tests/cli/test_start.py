"""What a short command imports: nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_LIST = """
import sys
from kedro_journal.cli import journal
journal.main(["list", "--directory", sys.argv[1]], standalone_mode=False)
needless = "kedro", "rich", "filelock", "importlib.metadata", "kedro_journal.analysis.resume"
found = [name for name in needless if name in sys.modules]
assert not found, found
"""
_RUN = """
import sys
import kedro.framework.session
import kedro_journal.hooks.links, kedro_journal.hooks.session_hooks
needless = "scan", "reader", "follow", "verification", "plain"
found = [n for n in needless if f"kedro_journal.journal.{n}" in sys.modules]
assert not found, found
assert "kedro_journal.state.model" not in sys.modules
"""


def test_a_list_imports_neither_kedro_nor_what_parses_metadata(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _LIST, str(tmp_path)], check=True)


def test_a_run_imports_nothing_that_reads_journals() -> None:
    subprocess.run([sys.executable, "-c", _RUN], check=True)
