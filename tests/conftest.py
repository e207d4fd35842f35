"""What all tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Modules that tests and the processes they start both import.
sys.path.insert(0, str(Path(__file__).parent / "support"))
# These processes import bytecode, as those of users do, and need not compile it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
