"""The options that choose sessions: by time, pipeline, node, parameter and more."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import click

from kedro_journal.analysis.filters import Condition, Wanted, condition
from kedro_journal.replaying.reference import Moment, parse

__all__ = ["filter_options", "moment"]

_F = TypeVar("_F", bound=Callable[..., Any])
_AGO: Final = re.compile(r"(\d{1,6})\s*([smhdw])\Z", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def moment(text: str, now: datetime) -> datetime:
    """Return the time that a text means, aware.

    Args:
        text: An age such as `2d` (s, m, h, d or w); a local date, a time of day or
            both; `today` or `yesterday`, which begin at midnight; or RFC 3339.
        now: The present, aware.

    Raises:
        ValueError: It is none of these, or no time that exists.
    """
    if ago := _AGO.match(text):
        return now - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
    found = parse(text, now.astimezone().replace(tzinfo=None))
    if isinstance(found, Moment):
        return found.start.astimezone()
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.astimezone()


def _moment(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> datetime | None:
    try:
        return None if value is None else moment(value, datetime.now(UTC))
    except (ValueError, OverflowError) as error:
        message = (
            f"{value!r} is not a time. Give an age such as 2d or 3h, a date, a time of "
            "day, both, today or yesterday."
        )
        raise click.BadParameter(message) from error


def _conditions(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[Condition, ...]:
    try:
        return tuple(map(condition, values))
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


def _labels(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str | None], ...]:
    parts = (value.partition("=") for value in values)
    return tuple((name, wanted if equals else None) for name, equals, wanted in parts)


_OPTIONS: Final = (
    click.option(
        "--since",
        metavar="TIME",
        callback=_moment,
        help="Created then or later: 2d, a date.",
    ),
    click.option(
        "--until", metavar="TIME", callback=_moment, help="Created before then."
    ),
    click.option("--pipeline", help="That ran this pipeline."),
    click.option("--node", help="That planned this node; its end after a dot will do."),
    click.option("--tag", help="With a run restricted to it, or tagged so by `tag`."),
    click.option(
        "labels",
        "--label",
        metavar="NAME[=VALUE]",
        callback=_labels,
        multiple=True,
        help="With a label.",
    ),
    click.option("--env", help="In this configuration environment."),
    click.option(
        "--git", help="Of this branch, or commit (the beginning of its hash)."
    ),
    click.option("--user", help="Of this user."),
    click.option(
        "conditions",
        "--param",
        metavar="CONDITION",
        callback=_conditions,
        multiple=True,
        help="With a parameter: 'model.lr>0.1' (= != < <= > >=), or its name alone.",
    ),
)


def filter_options(command: _F) -> _F:
    """Give a command the filters, as the one argument `wanted`."""

    def filtered(*args: Any, **given: Any) -> Any:
        wanted = Wanted(**{name: given.pop(name) for name in Wanted._fields})
        return command(*args, wanted=wanted, **given)

    filtered.__doc__ = command.__doc__
    filtered.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in reversed(_OPTIONS):
        filtered = option(filtered)
    return filtered  # type: ignore[return-value]
