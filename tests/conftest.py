"""What all tests share."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Modules that tests and the processes they start both import.
sys.path.insert(0, str(Path(__file__).parent / "support"))
# These processes import bytecode, as those of users do, and need not compile it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

from dispositions import default_dispositions, give_defaults_to_children

give_defaults_to_children()


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Let signals do here what they do in a program that a shell starts."""
    with default_dispositions():
        yield


# The user's key is made on first use: not in the configuration of who runs the tests.
_config = tempfile.mkdtemp(prefix="kedro-journal-config-")
os.environ["XDG_CONFIG_HOME"] = _config
atexit.register(shutil.rmtree, _config, ignore_errors=True)
