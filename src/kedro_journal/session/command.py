"""The Kedro command that this process is: its exit code, and what ended it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from kedro_journal.events import CommandLine, SessionClosed, SessionFailed
from kedro_journal.journal import session_timestamp

from . import capture
from .conf_source import absolute_source
from .opening import created_event, is_disabled, open_journal, settings_of

__all__ = ["CurrentCommand", "current_command", "ending_error", "is_abort"]


class EndsWithCommand(Protocol):
    """A session that the end of the command closes."""

    def left_by(self, error: BaseException | None, exit_code: int | None) -> None:
        """The command ended."""


class CurrentCommand:
    """The Kedro command that this process is, if it is one: `kedro run`."""

    def __init__(self) -> None:
        self.name = ""
        self.project_path: Path | None = None
        self.package: str | None = None
        self.arguments: tuple[str, ...] = ()
        self._links: list[EndsWithCommand] = []
        self.journaled = False

    def begin(
        self, arguments: list[str], project_path: Path | None, package: str | None
    ) -> None:
        """A command begins."""
        self.arguments = tuple(arguments)
        self.name, self.project_path, self.package = arguments[0], project_path, package
        self._links.clear()
        self.journaled = False

    def link(self, link: EndsWithCommand) -> bool:
        """Let the end of the command close this session; False without a command."""
        self.journaled = True
        if self.name != "run":
            return False
        self._links.append(link)
        return True

    def end(self, exit_code: int, error: BaseException | None) -> None:
        """The command ended. A run that failed before it began is journaled here."""
        if self.name == "run" and exit_code and not self.journaled:
            self._record_failure(exit_code, error)
        for link in self._links:
            link.left_by(error, exit_code)
        self.name = ""
        self._links.clear()

    def _record_failure(self, exit_code: int, error: BaseException | None) -> None:
        project = self.project_path
        if project is None or error is None:
            return
        config = settings_of(project)
        if is_disabled(config):
            return
        opened = open_journal(session_timestamp(datetime.now(UTC)), project, config)
        created = created_event(
            session_id=opened.session_id,
            project_path=project,
            package=self.package,
            env=os.environ.get("KEDRO_ENV"),
            runtime_params={},
            conf_source=_flag(self.arguments, "--conf-source"),
            config=config,
            recorder=opened.recorder,
            via="command",
        )
        line = CommandLine(argv=("kedro", *self.arguments), name=self.name)
        opened.recorder.record(
            msgspec.structs.replace(created, command=created.command or line),
            SessionFailed(error=capture.error_info(error, project), phase="command"),
            SessionClosed(reason="command", exit_code=exit_code),
        )
        opened.recorder.close()
        if opened.owner is not None:
            opened.owner.release()


def _flag(arguments: Sequence[str], name: str) -> str | None:
    """Return the value of a flag of the command line, None if it was not given."""
    for number, argument in enumerate(arguments):
        if argument == name and number + 1 < len(arguments):
            return absolute_source(arguments[number + 1])
        if argument.startswith(f"{name}="):
            return absolute_source(argument.removeprefix(f"{name}="))
    return None


current_command = CurrentCommand()


def ending_error() -> BaseException | None:
    """Give what ended the command that is ending, None if it ended well.

    Kedro calls its command hooks while the exception is being handled; click has
    turned a KeyboardInterrupt into an Abort by then, and that into a SystemExit.
    """
    error = sys.exc_info()[1]
    if isinstance(error, SystemExit) and not error.code:
        return None  # before 8.5 click makes it of an exception of its own
    seen: set[int] = set()
    found = error
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, KeyboardInterrupt):
            return error
        if type(error).__name__ == "_RemoteTraceback":
            break  # only the text of the one before, from a worker process
        if not isinstance(error, SystemExit) and _is_cause(error):
            found = error
            break
        found = error
        error = error.__cause__ or error.__context__
    return found


def is_abort(error: BaseException) -> bool:
    """Tell whether click made this SystemExit of a KeyboardInterrupt.

    From 8.5 on it drops the exception first. No other one that leaves an open run is
    turned into an exit by click itself; `sys.exit()` of a node is raised elsewhere.
    """
    traceback = error.__traceback__
    if not isinstance(error, SystemExit) or error.code != 1 or traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals.get("__name__", "")
    return str(module).partition(".")[0] == "click"


def _is_cause(error: BaseException) -> bool:
    """click's own Exit and Abort only carry what happened."""
    return type(error).__module__.partition(".")[0] != "click"
