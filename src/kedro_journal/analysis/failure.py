"""What the failure itself tells about its cause. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from kedro_journal.events import ErrorInfo
from kedro_journal.state.model import NodeState, RunState, SessionState

__all__ = ["Failure"]

_REMOTE_FRAME: Final = re.compile(r'  File "([^"]+)", line (\d{1,9})(?:, in (.*))?')
_LIBRARY: Final = re.compile(r"(site|dist)-packages[/\\]|[/\\]python\d[\d.]*[/\\]|^<")
_IMPORTS: Final = (
    "ImportError", "ModuleNotFoundError",
)  # fmt: skip
_IMPORT_WORDS: Final = (
    "has no attribute", "unexpected keyword argument", "cannot import name",
    "No module named", "is deprecated", "was removed",
)  # fmt: skip
_FILES: Final = (
    "FileNotFoundError", "PermissionError", "IsADirectoryError", "NotADirectoryError",
    "ConnectionError", "TimeoutError", "OSError", "VersionNotFoundError",
)  # fmt: skip
_MODULE: Final = re.compile(r"(?:module|named|from) '([\w.]+)'")
_PROCESSES: Final = re.compile(
    r"\b(pickl\w*|unpickl\w*|threads?|process(es)?|workers?|fork\w*|deadlock)\b", re.I
)
_DOING: Final = ("loading", "running", "saving", "confirming")
_CHAIN_MAX: Final = 6


class Failure:
    """The error of a run, as clues.

    Args:
        state, run: The run that broke; no run if it broke before one.
        node: The node that broke; None if it was in none.
    """

    def __init__(
        self, state: SessionState, run: RunState | None, node: NodeState | None
    ) -> None:
        self.node = node
        self.phase = ""
        if node is not None:
            self.phase = node.phase or (node.status if node.status in _DOING else "")
        self.verdict = state.verdict
        error = node.error if node is not None else None
        if error is None and run is not None:
            error = run.error
        if error is None and (node is None or run is None):
            error = state.error
        self.error = error
        self.oom = bool(run is not None and run.oom_kills)
        self.datasets = {one.dataset for one in (node.open_operations if node else ())}

    def _chain(self) -> Iterator[ErrorInfo]:
        error, left = self.error, _CHAIN_MAX
        while error is not None and left:
            yield error
            error, left = error.cause, left - 1

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Names of the classes that were raised, without their modules."""
        return tuple(error.type.rpartition(".")[2] for error in self._chain())

    @cached_property
    def text(self) -> str:
        """Everything that the error says, of all its causes."""
        return "\n".join(f"{error.type}: {error.message}" for error in self._chain())

    @cached_property
    def frames(self) -> tuple[tuple[str, int, str], ...]:
        """File, line and function of every frame, of all causes."""
        found: list[tuple[str, int, str]] = []
        for error in self._chain():
            found += [(f.file, f.line, f.function) for f in error.frames]
            for match in _REMOTE_FRAME.finditer(error.remote):
                found.append((match[1], int(match[2]), match[3] or ""))
        return tuple((file.replace("\\", "/"), n, f) for file, n, f in found)

    @property
    def place(self) -> str:
        """file:line of the project's innermost frame; empty if there is none."""
        for error in reversed(tuple(self._chain())):
            if error.snippet_at:
                return error.snippet_at
        for file, line, _ in reversed(self.frames):
            if not _LIBRARY.search(file):
                return f"{file}:{line}"
        return ""

    @property
    def signature(self) -> tuple[str, ...]:
        """What two failures have in common that have the same cause."""
        node = self.node
        return (node.name if node else "", self.phase, *self.types[-1:])

    def goes_through(self, name: str) -> bool:
        """Return whether the traceback goes through a file of the package."""
        return any(file.endswith(f"/{name}") for file, _, _ in self.frames)

    def is_raised_in(self, name: str) -> bool:
        """Return whether the project's innermost frame is in a file of the package."""
        return self.place.rpartition(":")[0].replace("\\", "/").endswith(f"/{name}")

    def calls(self, function: str) -> bool:
        """Return whether the traceback goes through a function, by its last name."""
        last = function.rpartition(".")[2]
        return any(one == last for _, _, one in self.frames)

    def names(self, word: str) -> bool:
        """Return whether the error's text has a name or value in it, as a word."""
        if len(word) < 2:
            return False
        return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", self.text) is not None

    @property
    def is_of_imports(self) -> bool:
        """Whether it is what another version of a library leads to."""
        return any(one in _IMPORTS for one in self.types)

    @property
    def is_of_interfaces(self) -> bool:
        """Whether it may be what another version of a library leads to."""
        return any(words in self.text for words in _IMPORT_WORDS)

    @property
    def module(self) -> str:
        """The module in which the error says that something is missing, or empty."""
        found = _MODULE.search(self.text)
        return found[1] if found is not None else ""

    @property
    def is_of_processes(self) -> bool:
        """Whether it speaks of processes, threads, or what passes between them."""
        return _PROCESSES.search(self.text) is not None

    @property
    def is_of_memory(self) -> bool:
        """Whether memory ran out, or may have."""
        if self.oom or "MemoryError" in self.types or "BrokenProcessPool" in self.types:
            return True
        return self.verdict == "crashed"

    @property
    def is_of_files(self) -> bool:
        """Whether something outside could not be reached."""
        return any(one in _FILES for one in self.types)
