"""What all tests share."""

from __future__ import annotations

import os
import sys
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
