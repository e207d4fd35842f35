"""Exit codes by verdict: what `wait` and `--exit-code` end with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar

import click

from kedro_journal.state import Verdict

__all__ = ["EXIT_TIMEOUT", "VERDICT_CODES", "code_of", "exit_code_option", "worst"]

VERDICT_CODES: Final[dict[Verdict, int]] = {
    "completed": 0,
    "failed": 10,
    "crashed": 11,
    "interrupted": 12,
    "unknown": 13,
    "running": 14,
    "no run": 15,
    "empty": 15,
}
"""Exit code of each verdict. None of them is the exit code of an error."""

EXIT_TIMEOUT: Final = 124
"""As the command `timeout` of GNU coreutils."""

_WORST_FIRST: Final = (10, 11, 12, 13, 14, 15, 0)

_F = TypeVar("_F", bound=Any)


def exit_code_option(command: _F) -> _F:
    """Add the flag `--exit-code` to a command."""
    option = click.option(
        "by_verdict",
        "--exit-code",
        is_flag=True,
        help="Exit by verdict: 0 completed, 10 failed, 11 crashed, 12 interrupted, "
        "13 unknown, 14 running, 15 no run.",
    )
    added: _F = option(command)
    return added


def code_of(verdict: str) -> int:
    """Return the exit code of a verdict; 13 for a word that is not in the table."""
    return VERDICT_CODES.get(verdict, 13)  # type: ignore[call-overload, no-any-return]


def worst(verdicts: Iterable[str]) -> int:
    """Return the exit code of the worst verdict, 15 if there is none.

    Failures come before interruptions, those before what is not known or not over.
    """
    codes = {code_of(verdict) for verdict in verdicts}
    return next((code for code in _WORST_FIRST if code in codes), 15)
