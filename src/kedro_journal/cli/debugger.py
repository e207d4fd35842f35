"""The debugger that `debug` opens: the one that PYTHONBREAKPOINT names, or pdb."""

from __future__ import annotations

import importlib
import os
import pdb  # noqa: T100 - this is what the command is for
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .common import say

__all__ = ["post_mortem", "shell", "without_ours"]

_OURS = str(Path(__file__).parents[1])
_OTHERS = (f"{os.sep}kedro{os.sep}", f"{os.sep}click{os.sep}")


def post_mortem(traceback: TracebackType | None) -> None:
    """Open a debugger where an exception was raised.

    PYTHONBREAKPOINT is heeded: `0` opens none, and `ipdb.set_trace` opens ipdb, as does
    any module that has a function `post_mortem`.
    """
    wanted = os.environ.get("PYTHONBREAKPOINT", "")
    if wanted == "0":
        return
    _function(wanted)(without_ours(traceback))


def _function(wanted: str) -> Callable[[TracebackType | None], Any]:
    name = wanted.rpartition(".")[0]
    while name:
        try:
            found = getattr(importlib.import_module(name), "post_mortem", None)
        except ImportError as error:
            say(f"PYTHONBREAKPOINT={wanted}: {error}; this is pdb.")
            break
        if callable(found):
            return found  # type: ignore[no-any-return]
        name = name.rpartition(".")[0]
    return pdb.post_mortem


def without_ours(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback from its first frame that is not of this package or Kedro.

    All of it if there is no such frame.
    """
    one = traceback
    while one is not None:
        file = one.tb_frame.f_code.co_filename
        if not (file.startswith(_OURS) or any(part in file for part in _OTHERS)):
            return one
        one = one.tb_next
    return traceback


def shell(variables: Mapping[str, Any], banner: str) -> None:
    """Open IPython with some variables, or Python's own shell without it."""
    try:
        from IPython import start_ipython
        from traitlets.config import Config
    except ImportError:
        import code

        say("IPython is not installed: this is Python's own shell.")
        code.interact(banner, local=dict(variables), exitmsg="")
        return
    config = Config()
    config.TerminalInteractiveShell.banner1 = banner + "\n"
    config.TerminalInteractiveShell.banner2 = ""
    config.HistoryManager.enabled = False  # data values stay out of its history
    start_ipython(argv=[], user_ns=dict(variables), config=config)
    sys.stdout.flush()
