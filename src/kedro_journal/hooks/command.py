"""The Kedro command that this process is: its exit code, and what ended it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from kedro_journal._clock import now
from kedro_journal.capture import fields as capture
from kedro_journal.capture.conf_source import absolute_source
from kedro_journal.capture.process import Origin
from kedro_journal.events import CommandLine, SessionClosed, SessionFailed
from kedro_journal.journal import session_timestamp
from kedro_journal.recording.opening import (
    created_event,
    is_disabled,
    open_journal,
    settings_of,
)

from .hint import print_at_exit

__all__ = ["CurrentCommand", "current_command", "ending_error"]


class EndsWithCommand(Protocol):
    """A session that the end of the command closes."""

    def left_by(self, error: BaseException | None, exit_code: int | None) -> None:
        """The command ended.

        Args:
            error: What ended it, if that may be about this session.
            exit_code: The exit code of the command.
        """

    @property
    def is_running(self) -> bool:
        """Whether a run of it has not ended."""
        ...


class CurrentCommand:
    """The Kedro command that this process is, if it is one: `kedro run`."""

    def __init__(self) -> None:
        self.name = ""
        self.project_path: Path | None = None
        self.package: str | None = None
        self.arguments: tuple[str, ...] = ()
        self._links: list[EndsWithCommand] = []
        self._origin = Origin()
        self.journaled = False
        self._folders: list[Callable[[], Path | None]] = []

    def begin(
        self, arguments: list[str], project_path: Path | None, package: str | None
    ) -> None:
        """A command begins."""
        self.arguments = tuple(arguments)
        self.name, self.project_path, self.package = arguments[0], project_path, package
        self._links.clear()
        self._folders.clear()
        self._origin = Origin().remember()
        self.journaled = False

    def add_folder(self, folder: Callable[[], Path | None]) -> None:
        """Remember a session of the command for the hint after a failure.

        Args:
            folder: Called at the end of the command. It returns the session's folder,
                None for a journal in memory.
        """
        self.journaled = True
        if self.name == "run" and self._is_mine:
            self._folders.append(folder)

    def link(self, link: EndsWithCommand) -> bool:
        """Let the end of the command close this session; False without a command."""
        self.journaled = True
        if self.name != "run" or not self._is_mine:
            return False
        self._links.append(link)
        return True

    def will_end(self, link: EndsWithCommand) -> bool:
        """Return whether the end of the command is still to come for a session."""
        return self._is_mine and any(link is one for one in self._links)

    @property
    def _is_mine(self) -> bool:
        """Whether this process began the command, or is a daemon that goes on with it.

        A forked child that comes this way does not end its parent's command, and its
        sessions do not wait for that end.
        """
        return self._origin.is_here or self._origin.is_gone

    def end(self, exit_code: int, error: BaseException | None) -> None:
        """The command ended. A run that failed before it began is journaled here.

        A command may have several sessions, one after the other. What ended it is
        about those that are in the middle of a run, and about the last one.
        """
        failed_early = self.name == "run" and exit_code and not self.journaled
        if failed_early and self._is_mine:
            self._record_failure(exit_code, error)
        for link in self._links:
            concerned = link is self._links[-1] or link.is_running
            link.left_by(error if concerned else None, exit_code)
        if exit_code and self._is_mine:
            self._hint()
        self.name = ""
        self._links.clear()
        self._folders.clear()

    def _hint(self) -> None:
        found = [folder for one in self._folders if (folder := one()) is not None]
        if found and settings_of(self.project_path).hint:
            print_at_exit(found, self.arguments)

    def _record_failure(self, exit_code: int, error: BaseException | None) -> None:
        project = self.project_path
        if project is None or error is None:
            return
        config = settings_of(project)
        if is_disabled(config):
            return
        opened = open_journal(session_timestamp(now()), project, config)
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
        folder = opened.recorder.folder
        self._folders.append(lambda: folder)
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
    """Return what ended the command that is ending, None if it ended well.

    Kedro calls its command hooks while the exception is being handled. By then click
    has turned a KeyboardInterrupt into an Abort, and that into a SystemExit.
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
        error = error.__cause__ or error.__context__ or _left_by_click(error)
    return found


def _left_by_click(error: BaseException) -> BaseException | None:
    """Return the exception of which click made this SystemExit.

    From 8.5 on click leaves the exception first and then exits, without a context. The
    frame that exits still has what it reported: the method `show` of a ClickException,
    or the function that says "Aborted!". None where neither is found.
    """
    traceback = error.__traceback__
    if not isinstance(error, SystemExit) or traceback is None:
        return None
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    if str(frame.f_globals.get("__name__", "")).partition(".")[0] != "click":
        return None  # sys.exit() of other code
    report = frame.f_locals.get("report")
    shown = getattr(report, "__self__", None)
    if isinstance(shown, BaseException):
        return shown
    return KeyboardInterrupt() if callable(report) else None


def _is_cause(error: BaseException) -> bool:
    """click's own Exit and Abort only carry what happened."""
    return type(error).__module__.partition(".")[0] != "click"
