"""`watch --on`: each event once, across restarts, and what a failure leaves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from kedro_journal.analysis.durations import Usual
from kedro_journal.cli import delivery
from kedro_journal.cli.delivery import CURSORS_NAME, Cursor, Deliver, Notifier
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory
from kedro_journal.views.cloud_event import cloud_event
from tests.support.played import BEGIN, Play, play, state_of

from .conftest import Call, Journals


class Receiver:
    """Keeps what is delivered; `problem` is what it answers."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.problem = ""
        self.dies = False

    def __call__(self, event: Any) -> str:
        self.events.append(event)
        if self.dies:
            raise KeyboardInterrupt
        return self.problem

    @property
    def said(self) -> list[str]:
        return [f"{e['subject'][:10]} {e['type'].split('.')[-1]}" for e in self.events]


def notify(
    journals: Journals, deliver: Deliver, kinds: tuple[str, ...] = ("failed", "crashed")
) -> None:
    where = JournalDirectory(journals.path)
    with Cursor(where, "action") as cursor:
        Notifier(where, cursor, kinds, deliver, lambda _: None).look()


def test_each_event_is_delivered_once_across_restarts(journals: Journals) -> None:
    journals.failed("2026-11-01T05.00.00.000Z")  # before the cursor was made
    receiver = Receiver()
    notify(journals, receiver)
    assert receiver.said == []
    journals.failed("2026-11-02T05.00.00.000Z")
    journals.completed("2026-11-03T05.00.00.000Z")
    journals.running("2026-11-04T05.00.00.000Z")
    notify(journals, receiver)
    notify(journals, receiver)
    assert receiver.said == ["2026-11-02 failed"]
    journals.let_go()  # its process is gone while nothing watches
    notify(journals, receiver)
    notify(journals, receiver)
    assert receiver.said == ["2026-11-02 failed", "2026-11-04 crashed"]


def test_a_death_before_it_is_recorded_delivers_again_with_the_same_id(
    journals: Journals,
) -> None:
    receiver = Receiver()
    journals.completed()
    notify(journals, receiver)
    journals.failed("2026-11-02T05.00.00.000Z")
    receiver.dies = True
    with pytest.raises(KeyboardInterrupt):
        notify(journals, receiver)
    receiver.dies = False
    notify(journals, receiver)
    notify(journals, receiver)
    first, second = receiver.events
    assert first == {**second, "data": first["data"]}


def test_what_could_not_be_delivered_is_tried_again(journals: Journals) -> None:
    receiver = Receiver()
    notify(journals, receiver)
    journals.failed("2026-11-02T05.00.00.000Z")
    receiver.problem = "no answer"
    notify(journals, receiver)
    receiver.problem = ""
    notify(journals, receiver)
    notify(journals, receiver)
    assert len(receiver.events) == 2


def test_a_torn_cursor_is_cut_and_a_second_watch_refused(journals: Journals) -> None:
    receiver = Receiver()
    notify(journals, receiver)
    journals.failed("2026-11-02T05.00.00.000Z")
    notify(journals, receiver)
    where = JournalDirectory(journals.path)
    (file,) = (where.own / CURSORS_NAME).iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open("ab") as opened:
        opened.write(b'{"id": "torn')
    notify(journals, receiver)
    assert file.read_bytes().endswith(b"}\n")
    assert len(receiver.events) == 1
    with Cursor(where, "action"), pytest.raises(JournalError, match="already"):
        Cursor(where, "action")
    file.write_bytes(b"[]\n")
    with pytest.raises(JournalError, match="damaged"):
        Cursor(where, "action")


def test_overdue_is_told_once(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()
    notify(journals, receiver)
    journals.running()
    monkeypatch.setattr(delivery, "usual_run", lambda *_: Usual(1.0, 1.0, 3))
    monkeypatch.setattr(delivery, "run_seconds", lambda *_: 9.0)
    for _ in range(2):
        notify(journals, receiver, ("overdue",))
    assert receiver.said == ["2026-11-22 overdue"]


def test_the_envelope() -> None:
    state = state_of(play(Play("a", 0.0, upto="failed"), ends="failed"), "closed")
    event = cloud_event(state, "failed", "", BEGIN + timedelta(days=1))
    assert event == cloud_event(state, "failed", "", BEGIN + timedelta(days=1))
    assert event["specversion"] == "1.0"
    assert event["id"] == f"u/{state.session_id}/failed"
    assert event["type"] == "kedro_journal.session.failed"
    assert event["time"] == "2026-11-22T05:00:11.000000Z"
    assert event["data"]["verdict"] == "failed"


def test_a_command(journals: Journals, call: Call, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = f'cat >> {out}; echo " $KEDRO_JOURNAL_EVENT" >> {out}; exit 3'
    options = ("watch", "--on", "failed", "--once", "--directory", journals.path)
    journals.completed()
    assert call(*options, "--run", command).exit_code == 0
    journals.failed("2026-11-21T05.00.00.000Z")
    for _ in range(2):
        assert call(*options, "--run", command).exit_code == 0
    event, kind = out.read_text(encoding="utf-8").rsplit(" ", 1)
    assert json.loads(event)["subject"] == "2026-11-21T05.00.00.000Z"
    assert kind == "failed\n"
    assert call("watch", "--on", "failed").exit_code == 2
    assert call("watch", "--on", "sad", "--run", "true").exit_code == 2
    assert call(*options, "--webhook", "file:///etc/passwd").exit_code == 2


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.got.append((self.headers["Content-Type"], json.loads(body)))  # type: ignore[attr-defined]
            self.send_response(self.server.status)  # type: ignore[attr-defined]
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    found = HTTPServer(("127.0.0.1", 0), Handler)
    found.got, found.status = [], 204  # type: ignore[attr-defined]
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()


def test_a_webhook(server: Any) -> None:
    deliver = delivery.to_webhook(f"http://127.0.0.1:{server.server_port}/secret")
    assert deliver({"id": "1"}) == ""
    assert server.got == [("application/cloudevents+json", {"id": "1"})]
    for status in (301, 303, 404, 500):
        server.status = status
        assert deliver({"id": "2"}) == f"127.0.0.1 answered with {status}"
    assert len(server.got) == 5
    server.shutdown()
    server.server_close()
    problem = deliver({"id": "3"})
    assert "cannot be reached" in problem
    assert "secret" not in problem
