"""Probes in child processes: what they find comes back, and so does what they raise."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kedro_journal.doctor.child import Probe, guarded, isolated, orderly, undisturbed
from kedro_journal.doctor.model import Check, note, ok
from kedro_journal.doctor.partner import Gate, Line, Partner, PartnerFailed
from kedro_journal.errors import JournalBusy

from .conftest import as_root


def found(run: object, limit_s: float = 10.0) -> list[Check]:
    return isolated(Probe("a.b", "a thing", run), limit_s)  # type: ignore[arg-type]


def test_checks_come_back_as_they_were() -> None:
    checks = [
        ok("a.b", "well", number=1, nothing=None, many=[1.5, "x"]),
        note("a.c", "so\n\x1b", "do", path=Path("/x"), deep={"y": (True,)}),
    ]

    assert found(lambda: checks) == checks
    assert checks[1].facts == {"path": "/x", "deep": {"y": [True]}}


def test_a_large_answer_comes_back_whole() -> None:
    (check,) = found(lambda: [ok("a.b", "x" * 1_000_000)])

    assert len(check.text) == 1_000_000


@pytest.mark.parametrize("run", [isolated, lambda probe, limit_s: [*guarded(probe)]])
def test_what_a_probe_raises_is_a_problem(run: object) -> None:
    def fail() -> Iterator[Check]:
        yield ok("a.b", "well")
        raise JournalBusy(Path("x"), 3.0)

    checks = run(Probe("a.b", "a thing", fail), 10.0)  # type: ignore[operator]

    assert [check.key for check in checks] == ["a.b", "a.b.failed"]
    assert checks[1].status == "problem"
    assert "a thing failed: JournalBusy: x: another process" in checks[1].text


@pytest.mark.parametrize("end", [lambda: os._exit(0), lambda: os.kill(os.getpid(), 9)])
def test_a_child_that_ends_too_early_is_a_problem(end: object) -> None:
    (check,) = found(end)

    assert (check.key, check.status) == ("a.b", "problem")


@as_root
def test_where_no_process_can_be_started_that_is_the_problem() -> None:
    """Only other users have a limit on processes, so this is another user's child."""

    def start() -> list[Check]:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        os.setuid(65534)
        return found(list)

    (check,) = isolated(Probe("c.d", "limits", start), 10.0)

    assert (check.key, check.status) == ("a.b", "problem")
    assert "Resource temporarily unavailable" in check.text


def test_a_child_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    def hang() -> Iterator[Check]:
        yield ok("a.b", f"{os.getpid()}")
        with Partner(lambda line: signal.pause()) as partner:
            yield ok("a.c", f"{partner.pid}")
            signal.pause()

    checks = found(hang, 0.5)

    assert [check.key for check in checks] == ["a.b", "a.c", "a.b.hangs"]
    deadline = time.monotonic() + 5
    for check in checks[:2]:
        while Path(f"/proc/{check.text}/stat").exists():
            state = Path(f"/proc/{check.text}/stat").read_text().rpartition(")")[2]
            if state.split()[0] == "Z":
                break  # dead; whoever is its parent now will see to it
            assert time.monotonic() < deadline
            time.sleep(0.001)


def test_what_a_child_prints_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    def talk() -> list[Check]:
        os.write(1, b"out")
        os.write(2, b"err")
        return [ok("a.b", "well")]

    assert found(talk)
    assert capfd.readouterr() == ("", "")


def test_a_child_can_be_forked_in_any_thread() -> None:
    checks: list[Check] = []
    thread = threading.Thread(target=lambda: checks.extend(found(list)))
    thread.start()
    thread.join()

    assert checks == []


@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_waits_for_the_end_of_a_block_and_is_not_lost() -> None:
    went_on = []

    def block() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)  # to this thread
            went_on.append(True)

    with pytest.raises(KeyboardInterrupt):
        block()

    assert went_on


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_order_to_end_can_be_cleaned_up_after(number: signal.Signals) -> None:
    with pytest.raises(SystemExit) as caught, orderly():
        signal.raise_signal(number)

    assert caught.value.code == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_partner_says_what_went_wrong() -> None:
    def fail(line: Line) -> None:
        raise PermissionError(13, "Permission denied")

    with Partner(fail) as partner, pytest.raises(PartnerFailed, match="denied"):
        partner.line.expect("well")
    with (
        Partner(lambda line: None) as partner,
        pytest.raises(PartnerFailed, match="wor"),
    ):
        partner.line.number()
    with (
        Partner(lambda line: line.say("7")) as partner,
        pytest.raises(PartnerFailed, match="'7'"),
    ):
        partner.line.expect("8")


def test_what_a_partner_said_before_it_was_killed_is_heard() -> None:
    gate = Gate()

    def talk(line: Line) -> None:
        for number in range(3):
            line.say(str(number))
        gate.meet(1)
        line.hear()

    with Partner(talk) as partner:
        partner.line.expect("0")
        gate.meet(0)
        partner.kill()
        partner.reap()
        assert partner.line.rest() == ["1", "2"]


def test_two_processes_go_through_a_gate_together() -> None:
    gate = Gate()

    def come(line: Line) -> None:
        for _ in range(100):
            gate.meet(1)
        line.say("through")

    began = time.monotonic()
    with Partner(come) as partner:
        for _ in range(100):
            gate.meet(0)
        partner.line.expect("through")

    assert time.monotonic() - began < 20, "nobody waited in vain"
