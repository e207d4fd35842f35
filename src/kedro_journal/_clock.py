"""Clocks that run while a test holds time still.

freezegun replaces the functions of `time`, and time-machine changes what they do, but
neither touches `clock_gettime` for the monotonic clock. A deadline that is measured by
a frozen clock never comes. The wall clock is the real one under freezegun; under
time-machine, which changes it for the whole process, it is the one that the test wants.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Final

from ._instant import EPOCH

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["monotonic_s", "now", "wall_ns"]


def _monotonic() -> Callable[[], float]:
    if hasattr(time, "clock_gettime"):
        return partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    return partial(time.monotonic)  # Windows


def _wall() -> Callable[[], int]:
    if hasattr(time, "clock_gettime_ns"):
        return partial(time.clock_gettime_ns, time.CLOCK_REALTIME)
    return partial(time.time_ns)


# Each is within another object: freezegun replaces functions that a module names.
monotonic_s: Final = _monotonic()
"""Return the seconds of the monotonic clock."""
wall_ns: Final = _wall()
"""Return the nanoseconds of the wall clock since 1970."""
_now: Final[Callable[..., datetime]] = partial(EPOCH.now, UTC)


def now() -> datetime:
    """Return the time of the wall clock, in UTC, as a plain `datetime`."""
    return _now()
