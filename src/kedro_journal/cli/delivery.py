"""Events of sessions, delivered to a command or a webhook: once each, across restarts.

What was delivered is appended to a cursor file and synced. An event is delivered, then
recorded: after a crash in between it is delivered once more, with the same id. While a
process delivers, the file is locked, so that two of them never deliver the same event.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

from kedro_journal._outside import let_through
from kedro_journal.analysis.durations import Usual, usual_run
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory, choose_backend
from kedro_journal.journal.port import REAL_OS, read_between
from kedro_journal.replaying.index import listed
from kedro_journal.replaying.inquiry import EarlierSessions
from kedro_journal.replaying.watching import LOOK_S, NOT_ENDED, Names, Watcher
from kedro_journal.state import SessionState
from kedro_journal.views.cloud_event import cloud_event
from kedro_journal.views.derive import run_seconds

__all__ = ["CURSORS_NAME", "Cursor", "Deliver", "Notifier", "to_command", "to_webhook"]

CURSORS_NAME: Final = ".cursors"
_TIMEOUT_S: Final = 60.0
_WEBHOOK_TIMEOUT_S: Final = 10.0
_RETRY_S: Final = 5.0
_RETRY_MAX_S: Final = 300.0
_ONCE_TRIES: Final = 3
_LOOK_BACK: Final = 20
_LOOK_BACK_S: Final = 0.5

Event = Mapping[str, Any]
Deliver = Callable[[Event], str]
"""Delivers an event. Returns why it could not; empty if it did."""


class Cursor:
    """Which events were delivered. A context manager, which holds the lock.

    Args:
        where: The journal directory.
        action: What delivers, such as a command. Each has a cursor of its own; only its
            hash is written, for it may hold a secret.

    Raises:
        JournalError: Another process delivers with this cursor now, or the file may
            not be used.
    """

    def __init__(self, where: JournalDirectory, action: str) -> None:
        where.ensure()
        where.check_safe()
        folder = where.ensure_own() / CURSORS_NAME
        REAL_OS.ensure_folder(folder)
        name = hashlib.blake2b(action.encode(), digest_size=16).hexdigest()
        self._fd = REAL_OS.open_append(folder / f"{name}.jsonl", create=True)
        self._backend = choose_backend()
        if not self._backend.try_lock(self._fd):
            REAL_OS.close(self._fd)
            message = "another process delivers these events already."
            raise JournalError(message, exit_code=1)
        self.before: frozenset[str] = frozenset()
        self.delivered: set[str] = set()
        if not self._read():
            ended = (
                row.state.session_id
                for row in listed(where)
                if row.state.verdict not in NOT_ENDED
            )
            self.before = frozenset(ended)
            self._append({"form": 1, "before": sorted(self.before)})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._backend.unlock(self._fd)
        REAL_OS.close(self._fd)

    def add(self, event_id: str) -> None:
        """Record that an event was delivered."""
        self._append({"id": event_id})
        self.delivered.add(event_id)

    def _read(self) -> bool:
        """Read the file and cut a torn end; return whether it has a first line."""
        data = read_between(REAL_OS, self._fd, 0, REAL_OS.stat(self._fd).size)
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            REAL_OS.truncate(self._fd, len(whole))
        lines = whole.splitlines()
        try:
            rows = [json.loads(one) for one in lines]
            if rows:
                self.before = frozenset(rows[0]["before"])
                self.delivered = {row["id"] for row in rows[1:]}
        except (ValueError, KeyError, TypeError) as error:
            let_through(error)
            message = "the cursor file is damaged: delete it to begin again."
            raise JournalError(message, exit_code=1) from error
        return bool(rows)

    def _append(self, row: Mapping[str, Any]) -> None:
        os.write(self._fd, json.dumps(row).encode() + b"\n")
        REAL_OS.sync(self._fd)


class _Pending(NamedTuple):
    event: Event
    again_s: float
    delay_s: float


class Notifier:
    """Finds events and delivers them.

    Args:
        where: The journal directory.
        cursor: What was delivered.
        kinds: Verdicts, and `overdue`.
        deliver: Delivers one event.
        say: Is told what was delivered, and what could not be.
        only: The one session that is meant; None for all.
    """

    def __init__(
        self,
        where: JournalDirectory,
        cursor: Cursor,
        kinds: Collection[str],
        deliver: Deliver,
        say: Callable[[str], None],
        only: str | None = None,
    ) -> None:
        self._where = where
        self._cursor = cursor
        self._kinds = kinds
        self._deliver = deliver
        self._say = say
        self._only = only
        self._names = Names(where)
        self._watchers: dict[str, Watcher] = {}
        self._usual: dict[tuple[str, int], Usual | None] = {}
        self._pending: dict[str, _Pending] = {}

    @property
    def is_idle(self) -> bool:
        """Whether no known session runs and nothing waits to be delivered."""
        return not self._watchers and not self._pending

    def look(self) -> None:
        """Deliver what has happened since the last look."""
        names = [
            name
            for name in self._names.new()
            if name not in self._cursor.before and self._only in (None, name)
        ]
        for row in listed(self._where, names):
            if row.state.verdict in NOT_ENDED:
                name = row.state.session_id
                self._watchers[name] = Watcher(self._where, name)
            else:
                self._find(row.state)
        for name, watcher in list(self._watchers.items()):
            watcher.look()
            self._find(watcher.state)
            if watcher.has_ended:
                del self._watchers[name]
        self._retry()

    def until_idle(self) -> bool:
        """Look once, and try what could not be delivered twice more.

        Returns:
            Whether everything was delivered.
        """
        self.look()
        for _ in range(_ONCE_TRIES - 1):
            if not self._pending:
                break
            time.sleep(1.0)
            waiting = self._pending.items()
            self._pending = {k: one._replace(again_s=0.0) for k, one in waiting}
            self._retry()
        return not self._pending

    def go_on(self) -> None:
        """Look until the one session has ended; of all sessions, for ever."""
        while True:
            self.look()
            if self._only is not None and self.is_idle:
                return
            time.sleep(LOOK_S)

    def _find(self, state: SessionState) -> None:
        for kind, run in self._happened(state):
            event = cloud_event(state, kind, run, datetime.now(UTC))
            if event["id"] in self._cursor.delivered or event["id"] in self._pending:
                continue
            self._pending[event["id"]] = _Pending(event, 0.0, _RETRY_S)

    def _happened(self, state: SessionState) -> Iterator[tuple[str, str]]:
        if state.verdict in self._kinds and state.verdict not in NOT_ENDED:
            yield state.verdict, ""
        run = state.last_run
        if "overdue" not in self._kinds or run is None or state.verdict != "running":
            return
        key = state.session_id, run.started_seq
        if key not in self._usual:
            past = EarlierSessions(
                self._where, key[0], look_back=_LOOK_BACK, seconds=_LOOK_BACK_S
            )
            self._usual[key] = usual_run(run, past)
        usual = self._usual[key]
        seconds = run_seconds(run, state, datetime.now(UTC))
        is_going = run.status == "running" and seconds is not None
        if is_going and usual is not None and usual.is_overdue(seconds or 0.0):
            yield "overdue", str(run.started_seq)

    def _retry(self) -> None:
        for key, one in list(self._pending.items()):
            if time.monotonic() < one.again_s:
                continue
            what = f"{one.event['subject']} {one.event['type'].rpartition('.')[2]}"
            problem = self._deliver(one.event)
            if not problem:
                self._cursor.add(key)
                del self._pending[key]
                self._say(f"{what}: delivered")
                continue
            self._say(f"{what}: {problem}; tried again in {one.delay_s:.0f} s")
            again_s = time.monotonic() + one.delay_s
            delay_s = min(one.delay_s * 2, _RETRY_MAX_S)
            self._pending[key] = _Pending(one.event, again_s, delay_s)


def to_command(command: str) -> Deliver:
    """Return what runs a shell command with an event on its stdin.

    Variables have the parts of it that scripts need most; nothing of a journal becomes
    part of the command. A command that exits with an error was run all the same; one
    that takes more than a minute is killed.
    """

    def deliver(event: Event) -> str:
        names = {
            "KEDRO_JOURNAL_EVENT_ID": event["id"],
            "KEDRO_JOURNAL_EVENT": event["type"].rpartition(".")[2],
            "KEDRO_JOURNAL_EVENT_SESSION": event["subject"],
        }
        safe = {name: value.replace("\0", "") for name, value in names.items()}
        try:
            subprocess.run(
                ["/bin/sh", "-c", command],
                input=json.dumps(event).encode(),
                env={**os.environ, **safe},
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            let_through(error)
        except OSError as error:
            let_through(error)
            return f"the shell did not start: {error.strerror}"
        return ""

    return deliver


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuse redirects: a redirected POST would arrive as a GET, without the event."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Return nothing to follow, so that the answer counts as a failure."""


def to_webhook(url: str) -> Deliver:
    """Return what sends an event by POST; every answer but 2xx is a failure.

    Raises:
        ValueError: The URL is not one of http or https.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError("a webhook is an http or https URL")
    opener = urllib.request.build_opener(_NoRedirect)
    host = urlsplit(url).hostname  # what follows may be a secret

    def deliver(event: Event) -> str:
        request = urllib.request.Request(  # noqa: S310 - http or https, see above
            url,
            data=json.dumps(event).encode(),
            headers={"Content-Type": "application/cloudevents+json"},
            method="POST",
        )
        try:
            with opener.open(request, timeout=_WEBHOOK_TIMEOUT_S):
                return ""
        except urllib.error.HTTPError as error:
            let_through(error)
            error.close()
            return f"{host} answered with {error.code}"
        except (OSError, ValueError) as error:
            let_through(error)
            return f"{host} cannot be reached: {getattr(error, 'reason', error)}"

    return deliver
