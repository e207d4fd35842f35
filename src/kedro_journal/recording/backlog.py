"""Events that the journal could not take, held until it can."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from kedro_journal._clock import monotonic_s, now
from kedro_journal.events import ENDING_TYPES, LIFECYCLE_TYPES, Event, JournalGap
from kedro_journal.journal.codec import Encoded

__all__ = ["HELD_MAX", "HELD_MAX_BYTES", "Backlog", "is_ending"]

HELD_MAX: Final = 1000
HELD_MAX_BYTES: Final = 8 * 1024 * 1024
_BATCH_BYTES: Final = 256 * 1024
_LAST_WORD_BYTES: Final = (
    8 * 1024
)  # longer ones are told in brief: the reserve is small
_PAUSE_MIN_S: Final = 0.1
_PAUSE_MAX_S: Final = 5.0


def is_ending(batch: Sequence[Encoded]) -> bool:
    """Return whether a batch says how something ended: it is worth the reserve."""
    for item in batch:  # noqa: SIM110 - each event comes by here: no generator for it
        if item.event.TYPE in ENDING_TYPES:
            return True
    return False


class Backlog:
    """Holds the newest events, at most 1000 of them and 8 MiB.

    Where there is no more room, events of nodes and datasets go first, oldest first:
    without the lifecycle of the session and its runs the others tell nothing. Trying to
    write costs the run time, so it is tried after 0.1 s, then ever more rarely, at most
    every 5 s. Not safe between threads.

    Args:
        encode: Makes the bytes of the gap itself.
        brief: Makes those of an event without its long texts.
    """

    def __init__(
        self, encode: Callable[[Event], bytes], brief: Callable[[Event], bytes]
    ) -> None:
        self._encode = encode
        self._brief = brief
        self.clear()

    def clear(self) -> None:
        """Hold nothing and miss nothing."""
        self._held: deque[Encoded] = deque()
        self._held_bytes = 0
        self._dropped = 0
        self._reason = ""
        self._whole = False  # what is held was only postponed
        self._pause_s = _PAUSE_MIN_S
        self._retry_at_s = 0.0

    @property
    def missing(self) -> int:
        """How many events are not in the journal, held ones included."""
        return self._dropped + len(self._held)

    @property
    def reason(self) -> str:
        """Why they are not, first seen."""
        return self._reason

    @property
    def is_whole(self) -> bool:
        """Events are held, and only because their append was interrupted."""
        return self._whole and bool(self._held)

    @property
    def due(self) -> bool:
        """It is time to try again."""
        return monotonic_s() >= self._retry_at_s

    def hold(self, batch: Sequence[Encoded]) -> None:
        """Take events that are to be written later."""
        came_at = now()
        for item in batch:
            self._held.append(item if item.at else replace(item, at=came_at))
            self._held_bytes += len(item.data)
        while len(self._held) > HELD_MAX or self._held_bytes > HELD_MAX_BYTES:
            self._give_one_up()

    def postpone(self, batch: Sequence[Encoded]) -> None:
        """Take events whose append was interrupted: they come next, in their order.

        If nothing else is missing, no gap is recorded: there is none.
        """
        whole = self._whole or not self.missing
        self.hold(batch)
        self._whole = whole and not self._dropped

    def drop(self, count: int, reason: str) -> None:
        """Count events that are lost."""
        self._dropped += count
        self._whole = False
        self._reason = self._reason or reason

    def _give_one_up(self) -> None:
        for number, item in enumerate(self._held):
            if item.event.TYPE not in LIFECYCLE_TYPES:
                del self._held[number]
                break
        else:
            item = self._held.popleft()
        self._held_bytes -= len(item.data)
        self._dropped += 1
        self._whole = False

    def failed(self, error: BaseException) -> None:
        """The journal could not be written."""
        self._whole = False
        self._reason = self._reason or str(error)
        self._retry_at_s = monotonic_s() + self._pause_s
        self._pause_s = min(self._pause_s * 2, _PAUSE_MAX_S)

    def batches(self) -> Iterator[tuple[Encoded, ...]]:
        """Return what is to be written, the gap first.

        Each batch counts as written when the next one is asked for.
        """
        first: tuple[Encoded, ...] = ()
        if not self._whole:
            first = (self._gap(len(self._held)),)
        while self._held or first:
            size, count = 0, 0
            for item in self._held:
                if size and size + len(item.data) > _BATCH_BYTES:
                    break
                size, count = size + len(item.data), count + 1
            yield (*first, *list(self._held)[:count])
            if first:
                first, self._dropped, self._reason = (), 0, ""
            for _ in range(count):
                self._held_bytes -= len(self._held.popleft().data)
        self._pause_s = _PAUSE_MIN_S
        self._whole = False

    def last_words(self) -> tuple[Encoded, ...]:
        """Return only how things began and ended, in brief, for a disk that is full."""
        words = tuple(
            item
            if len(item.data) <= _LAST_WORD_BYTES
            else replace(item, data=self._brief(item.event))
            for item in self._held
            if item.event.TYPE in LIFECYCLE_TYPES
        )
        return (self._gap(len(words)), *words)

    def _gap(self, kept: int) -> Encoded:
        gap = JournalGap(dropped=self.missing - kept, kept=kept, reason=self._reason)
        return Encoded(gap, self._encode(gap))
