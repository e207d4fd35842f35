"""A process that follows a journal while others write it, repair it and die."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from journals import file

from kedro_journal.errors import JournalError
from kedro_journal.events import Cursor, Record, SessionClosed
from kedro_journal.journal import follow_file, read

from .account import Account

__all__ = ["LiveTail"]

DEADLINE_S: Final = 60.0


class LiveTail:
    """Follows the journal in *folder* from now on, and writes down what it is given.

    It ends with `session.closed`; nothing of it is left after `finish`.
    """

    def __init__(self, folder: Path) -> None:
        self._given = folder / "tail"
        self._pid = os.fork()
        if self._pid == 0:
            code = 1
            try:
                _follow(file(folder), self._given)
                code = 0
            finally:
                os._exit(code)

    def finish(self, account: Account) -> list[str]:
        """Wait for `session.closed` to arrive; give the checksums delivered."""
        ended = os.pidfd_open(self._pid)
        if not select.select([ended], [], [], DEADLINE_S)[0]:
            account.violations.append("the live tail never saw session.closed")
            os.kill(self._pid, signal.SIGKILL)
        os.close(ended)
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        *crcs, last = self._given.read_text("utf-8").split("\n")
        if last or code:
            account.violations.append(f"the live tail broke: {last or code}")
        return crcs


def _follow(path: Path, given: Path) -> None:
    """Write down each record's checksum, then the error if there is one."""
    with given.open("w", encoding="utf-8") as out:
        try:
            for record in _deliveries(path):
                out.write(f"{record.crc}\n")
        except JournalError as error:
            out.write(str(error).replace("\n", " "))


def _deliveries(path: Path) -> Iterator[Record]:
    """Yield the journal up to `session.closed`.

    Now and then the follower starts anew from its cursor, and now and then a plain,
    strict reader takes its place: what they deliver is one journal all the same.
    """
    cursor: Cursor | None = None
    parent = os.getppid()

    def left_alone() -> bool:
        return os.getppid() != parent

    while not left_alone():
        following = follow_file(
            path, start=cursor, poll_interval_s=0.005, stop=left_alone
        )
        for count, record in enumerate(following, 1):
            yield record
            cursor = record.cursor
            if isinstance(record.event, SessionClosed):
                return
            if count % 500 == 0:
                break
        for record in read(path, start=cursor):
            yield record
            cursor = record.cursor
            if isinstance(record.event, SessionClosed):
                return
