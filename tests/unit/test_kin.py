"""Whether a worker lives is known, or said not to be known from here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from kedro_journal.journal import liveness
from kedro_journal.journal.liveness import (
    boot_id,
    host_name,
    pid_namespace,
    start_ticks,
)
from kedro_journal.replaying import kin
from kedro_journal.replaying.kin import is_live_worker
from kedro_journal.state import Writer

pytestmark = pytest.mark.skipif(start_ticks(os.getpid()) is None, reason="needs /proc")


@pytest.fixture
def worker() -> Iterator[Writer]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield Writer(
        name="w2",
        pid=process.pid,
        role="worker",
        host=host_name(),
        boot_id=boot_id(),
        started_at_ticks=start_ticks(process.pid),
        pid_namespace=pid_namespace(),
    )
    process.communicate(b"\n")


def other(worker: Writer, **fields: object) -> Writer:
    kept = {name: getattr(worker, name) for name in worker.__struct_fields__}
    return Writer(**{**kept, **fields})


def test_a_worker_of_this_namespace_is_looked_up(worker: Writer) -> None:
    assert is_live_worker(worker) is True
    assert is_live_worker(other(worker, started_at_ticks=1)) is False
    assert is_live_worker(other(worker, boot_id="another")) is False
    assert is_live_worker(other(worker, role="owner")) is False


def test_a_worker_of_another_namespace_may_not_be_seen_from_here(
    worker: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = other(worker, pid_namespace="pid:[1]", host="container")
    assert is_live_worker(there) is True  # /proc shows it, by its start and pid

    gone = other(there, started_at_ticks=1)
    monkeypatch.setattr(liveness, "pid_namespace", lambda: "pid:[2]")
    assert is_live_worker(gone) is None
    first = liveness._FIRST_NAMESPACE
    monkeypatch.setattr(liveness, "pid_namespace", lambda: first)
    monkeypatch.setattr(kin, "pid_namespace", lambda: first)
    assert is_live_worker(gone) is False
