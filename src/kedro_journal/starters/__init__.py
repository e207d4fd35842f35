"""The demo project, shipped inside the package: it needs no network and no git."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kedro.framework.cli.starters import KedroStarterSpec

__all__ = ["STARTER_NAME", "starters"]

STARTER_NAME: Final = "journal-demo"

starters: Final = [
    KedroStarterSpec(
        STARTER_NAME,
        template_path=str(Path(__file__).parent),
        directory=STARTER_NAME,
    )
]
"""What `kedro new --starter journal-demo` finds by its entry point."""
