"""The standalone form as a process: start-up, signals, pipes, following."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import termios
import time

import pytest

from kedro_journal.events import NodeComputed, SessionClosed

from .conftest import RUN

FOREIGN = ("kedro", "filelock", "rich", "pluggy", "asyncio", "pandas")


def start(command: list[str], *args: object, **more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command, *(str(arg) for arg in args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize("name", ["list", "show", "replay", "tail", "verify"])
def test_reading_imports_nothing_foreign(journals, name):
    journals.completed()
    code = (
        "import sys\n"
        "from kedro_journal.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"found = [m for m in sys.modules if m.partition('.')[0] in {FOREIGN}]\n"
        "print('FOREIGN', found)\n"
    )
    args = [sys.executable, "-c", code, name, "--directory", str(journals.path)]

    done = subprocess.run(args, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "FOREIGN []"


def test_following_prints_records_as_they_come_until_the_session_is_closed(
    journals, command
):
    writer = journals.running()
    process = start(
        command, "tail", "-f", "-n", 1, "--json", "--directory", journals.path
    )
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    writer.append(NodeComputed(run_id=RUN, node="split"))
    second = json.loads(process.stdout.readline())
    assert process.poll() is None
    writer.append(SessionClosed())
    rest, errors = process.communicate(timeout=30)

    assert [first["type"], second["type"]] == ["node.started", "node.computed"]
    assert json.loads(rest)["type"] == "session.closed"
    assert errors == "kedro-journal: 2026-11-22T05.00.00.000Z is closed\n"
    assert process.returncode == 0


def test_following_ends_with_1_when_the_process_is_gone(journals, command):
    journals.crashed()

    process = start(command, "tail", "-f", "--directory", journals.path)
    lines, errors = process.communicate(timeout=30)

    assert len(lines.splitlines()) == 5
    assert "crashed: its process is gone" in errors
    assert process.returncode == 1


def test_following_waits_for_a_first_session(journals, command):
    process = start(command, "tail", "-f", "--directory", journals.path)
    assert process.stderr is not None
    assert "waiting for a first session" in process.stderr.readline()
    journals.completed()
    lines, _ = process.communicate(timeout=30)

    assert lines.splitlines()[-1].endswith("closed (close, exit code 0)")
    assert process.returncode == 0


@pytest.mark.parametrize("session", [False, True])
def test_ctrl_c_ends_following_quietly_with_130(journals, command, session):
    if session:
        journals.running()
    process = start(command, "tail", "-f", "--directory", journals.path)
    ready = process.stdout if session else process.stderr
    assert ready is not None
    assert ready.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert "Traceback" not in errors
    assert "Abort" not in errors
    assert process.returncode == 130


def test_a_reader_that_goes_away_is_no_error(journals, command):
    writer = journals.running()
    for _ in range(40):
        writer.append(*[NodeComputed(run_id=RUN, node="x" * 200)] * 50)
    process = start(
        command, "replay", "--step", "--directory", journals.path, bufsize=0
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()

    assert process.wait(30) == 141
    assert errors == ""


def test_a_terminal_without_unicode_gets_escapes(journals, command):
    journals.begin("2026-11-20T05.00.00.000Z-\N{LATIN SMALL LETTER A}")
    args = [*command, "list", "--directory", str(journals.path)]
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}

    done = subprocess.run(args, capture_output=True, text=True, env=env, check=True)

    assert "2026-11-20" in done.stdout


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo terminal")
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_is_for_terminals_that_want_it(journals, command, no_color, coloured):
    journals.failed()
    outer, inner = os.openpty()
    env = {**os.environ, "NO_COLOR": no_color, "TERM": "xterm", "COLUMNS": "100"}
    args = [*command, "list", "--directory", str(journals.path)]
    try:
        subprocess.run(args, stdout=inner, env=env, check=True)
        text = os.read(outer, 65536).decode()
    finally:
        os.close(outer)
        os.close(inner)

    assert ("\x1b[31mfailed" in text) is coloured


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo terminal")
def test_steps_on_a_terminal_wait_for_a_key(journals, command):
    journals.completed()
    outer, inner = os.openpty()
    args = [*command, "replay", "--step", "--directory", str(journals.path)]
    process = subprocess.Popen(args, stdin=inner, stdout=inner, env={**os.environ})
    os.close(inner)
    text = b""
    try:
        for key in (b"\r", b"\r", b"q"):
            lines = text.count(b"\n")
            while text.count(b"\n") == lines:
                text += os.read(outer, 65536)
            while termios.tcgetattr(outer)[3] & termios.ICANON:
                time.sleep(0.001)  # keys typed before it listens are thrown away
            os.write(outer, key)
        assert process.wait(30) == 0
    finally:
        os.close(outer)

    assert text.count(b"\n") == 3
