"""A click group whose commands are imported when they are needed."""

from __future__ import annotations

import errno
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

__all__ = ["JournalGroup"]

EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells count
EXIT_READER_GONE = 141  # 128 + SIGPIPE


_OTHER_WORDS: Final = {
    "ls": "list",
    "log": "list",
    "logs": "show",
    "status": "show",
    "info": "show",
    "describe": "show",
    "follow": "tail",
    "monitor": "watch",
    "top": "watch",
    "trend": "stats",
    "statistics": "stats",
    "retry": "resume",
    "continue": "resume",
    "restart": "rerun",
    "repeat": "rerun",
    "compare": "diff",
    "check": "verify",
    "origin": "trace",
}
"""Commands of other tools, and the command here that does the same."""


class JournalGroup(click.Group):
    """Load commands lazily and turn errors into one line and an exit code.

    Args:
        lazy: Command name to `module:attribute`. A command whose module is not
            installed is left out. A command that does not load reports so when it is
            called.
        sections: Heading to command names, in the order of the help. Commands that no
            section names come last, under "Commands".
    """

    def __init__(
        self,
        *,
        lazy: Mapping[str, str],
        sections: Mapping[str, Sequence[str]] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self._lazy = dict(lazy)
        self._sections = dict(sections or {})
        self.params.append(
            click.Option(
                ["-V", "--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_version,
                help="Print the versions of this package, Kedro and Python.",
            )
        )

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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names.

        `help` and `help COMMAND` print the same as `--help` and `COMMAND --help`.

        Raises:
            click.UsageError: There is no such command. The message names the closest
                ones.
        """
        if args and args[0] == "help" and "help" not in self._lazy:
            args = [*args[1:2], "--help"]
            if len(args) == 1:
                click.echo(ctx.get_help(), color=ctx.color)
                ctx.exit()
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(self._unknown(name, ctx), ctx)
        return super().resolve_command(ctx, args)

    def _unknown(self, name: str, ctx: click.Context) -> str:
        names = self.list_commands(ctx)
        import difflib

        close = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.65)
        known = _OTHER_WORDS.get(name.lower())
        if known in names and known not in close:
            close.insert(0, known)
        message = f"No such command '{name}'."
        if close:
            quoted = " or ".join(f"'{one}'" for one in close)
            return f"{message} Did you mean {quoted}?"
        return f"{message} The commands are: {', '.join(names)}."

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the commands into the help, one table for each section."""
        names = self.list_commands(ctx)
        sections = {
            title: [name for name in wanted if name in names]
            for title, wanted in self._sections.items()
        }
        placed = {name for some in sections.values() for name in some}
        sections["Commands"] = [name for name in names if name not in placed]
        width = max(map(len, names), default=0)
        for title, some in sections.items():
            rows = []
            for name in some:
                command = self.get_command(ctx, name)
                if command is not None and not command.hidden:
                    limit = formatter.width - 6 - width
                    rows.append((name.ljust(width), command.get_short_help_str(limit)))
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

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


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Print one line that a bug report needs, without importing Kedro."""
    if not value or ctx.resilient_parsing:
        return
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from kedro_journal._version import __version__

    try:
        kedro = f"Kedro {version('kedro')}"
    except PackageNotFoundError:
        kedro = "Kedro not installed"
    python = f"Python {platform.python_version()}"
    click.echo(f"kedro-journal {__version__} ({kedro}, {python})")
    ctx.exit()


def _forget_stdout() -> None:
    """Keep Python from complaining that it cannot flush a closed pipe at its exit."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass  # stdout is no file: nothing will be flushed to a pipe
