"""A click group whose commands are imported when they are needed."""

from __future__ import annotations

import errno
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

__all__ = ["JournalGroup"]

EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells count
EXIT_READER_GONE = 141  # 128 + SIGPIPE


class JournalGroup(click.Group):
    """Loads commands lazily and turns errors into one line and an exit code.

    Args:
        lazy: Command name to `module:attribute`. A command whose module is not
            installed is left out; one that does not load says so when it is called.
    """

    def __init__(self, *, lazy: Mapping[str, str], **more: Any) -> None:
        super().__init__(**more)
        self._lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the help."""
        return [name for name in self._lazy if self._is_there(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is no such one."""
        if cmd_name not in self._lazy or not self._is_there(cmd_name):
            return None
        module, _, attribute = self._lazy[cmd_name].partition(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except Exception as error:
            from .broken import broken_command

            return broken_command(cmd_name, error)
        assert isinstance(command, click.Command), command  # noqa: S101
        return command

    def _is_there(self, name: str) -> bool:
        module = self._lazy[name].partition(":")[0]
        return importlib.util.find_spec(module) is not None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; see the class.

        Raises:
            click.exceptions.Exit: With the exit code of a `JournalError`, which was
                printed; after Ctrl-C; when the reader of stdout went away.
        """
        from kedro_journal.errors import JournalError

        from .broken import say

        try:
            return super().invoke(ctx)
        except JournalError as error:
            say(str(error))
            raise click.exceptions.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                _forget_stdout()
                raise click.exceptions.Exit(EXIT_READER_GONE) from None
            reason = error.strerror or type(error).__name__
            where = f"{error.filename}: " if error.filename is not None else ""
            say(f"{where}{reason}.")
            raise click.exceptions.Exit(1) from error


def _forget_stdout() -> None:
    """Keep Python from complaining that it cannot flush a closed pipe at its exit."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass  # stdout is no file: nothing will be flushed to a pipe
