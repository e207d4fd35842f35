"""Signals: what is handled, what is postponed, and what a forked child inherits."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from types import FrameType

import pytest

from kedro_journal.recording import signals

pytestmark = pytest.mark.usefixtures("default_signals")


def answer(number: int) -> bool:
    """Watch, and let the process die."""
    del number
    return True


@pytest.fixture
def watched() -> Iterator[list[int]]:
    """Signals that a watcher saw, instead of dying of them."""
    seen: list[int] = []

    def see(number: int) -> bool:
        seen.append(number)
        return False

    signals.watch(see)
    yield seen
    signals.unwatch(see)


def exit_code_of_child(then: str) -> int:
    """Fork; the child does that, or exits with 0. Returns as `Popen.returncode`."""
    pid = os.fork()
    if not pid:
        try:
            if then == "dies":
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(60)
            os._exit(0 if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_forked_child_has_the_default_action(watched: list[int]) -> None:
    assert exit_code_of_child("looks") == 0
    assert exit_code_of_child("dies") == -signal.SIGTERM
    signal.raise_signal(signal.SIGTERM)
    assert watched == [signal.SIGTERM], "the parent still watches"


def test_a_child_that_is_terminated_at_once_ends(watched: list[int]) -> None:
    for _ in range(10):
        pid = os.fork()
        if not pid:
            time.sleep(60)
            os._exit(0)
        os.kill(pid, signal.SIGTERM)
        give_up_s = time.monotonic() + 10
        while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > give_up_s:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)
        assert os.waitstatus_to_exitcode(ended[1]) == -signal.SIGTERM
    assert watched == []


@pytest.mark.parametrize("blocked", [set(), {signal.SIGTERM, signal.SIGUSR1}])
def test_a_fork_changes_no_signal_mask(watched: list[int], blocked: set[int]) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        expected = before | blocked
        pid = os.fork()
        if not pid:
            found = signal.pthread_sigmask(signal.SIG_BLOCK, ())
            os._exit(0 if found == expected else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == expected
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert watched == []


def test_a_forked_child_keeps_a_handler_of_the_users(watched: list[int]) -> None:
    def own(number: int, frame: FrameType | None) -> None:
        del number, frame

    ours = signal.signal(signal.SIGTERM, own)
    try:
        assert exit_code_of_child("looks") == 1
    finally:
        signal.signal(signal.SIGTERM, ours)


def test_a_handler_that_calls_ours_decides_alone(
    watched: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[int] = []
    monkeypatch.setattr(signals, "die", died.append)
    ours = signal.getsignal(signal.SIGTERM)
    assert callable(ours)
    signal.signal(signal.SIGTERM, ours)
    users: list[int] = []

    def own(number: int, frame: FrameType | None) -> None:
        users.append(number)
        ours(number, frame)

    signal.signal(signal.SIGTERM, own)
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, ours)

    assert users == [signal.SIGTERM]
    assert (watched, died) == ([], [])


@pytest.mark.parametrize("install", ["watch", "prepare"])
def test_process_1_gets_no_handler(
    monkeypatch: pytest.MonkeyPatch, install: str
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    if install == "watch":
        signals.watch(answer)
    else:
        signals.prepare()

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_ctrl_c_waits_until_the_end_is_recorded() -> None:
    done = []

    def end() -> None:
        with signals.postponed(dropped=False):
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        end()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_changes_no_exit_code_of_a_command_that_failed() -> None:
    done = []
    with signals.postponed(dropped=True):
        signal.raise_signal(signal.SIGINT)
        done.append(True)

    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("dropped", [True, False])
def test_ctrl_c_ends_a_wait_that_takes_too_long(
    monkeypatch: pytest.MonkeyPatch, dropped: bool
) -> None:
    monkeypatch.setattr(signals, "_PATIENCE_S", -1.0)
    done = []

    def end() -> None:
        with signals.postponed(dropped=dropped):
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    if dropped:
        end()
    else:
        with pytest.raises(KeyboardInterrupt):
            end()
    assert not done


def test_a_handler_of_the_users_is_not_postponed() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    try:
        with signals.postponed(dropped=True):
            signal.raise_signal(signal.SIGINT)
            assert seen == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
