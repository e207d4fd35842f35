"""Facts that statements about failures rest on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kedro_journal.capture.configuration import _is_hidden
from kedro_journal.capture.fields import error_info
from kedro_journal.capture.memory_kills import oom_kills
from kedro_journal.capture.provenance import (
    Place,
    _runtime_places,
    _source,
    yaml_places,
)
from kedro_journal.events import CommandLine, ErrorInfo, Frame
from kedro_journal.state import SessionState
from kedro_journal.views.command import arguments_of, command_text
from kedro_journal.views.derive import Failure, started_by
from kedro_journal.views.failure import failure_lines

REMOTE = '''
"""
Traceback (most recent call last):
  File "/usr/lib/python3.11/concurrent/futures/process.py", line 261, in _worker
    r = call_item.fn(*call_item.args, **call_item.kwargs)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/home/ada/mill/src/nodes.py", line 33, in train
    fit(x)
ValueError: bad shape
"""'''


def text_of(error: ErrorInfo, *, whole: bool = False) -> list[str]:
    lines = failure_lines(Failure("in node a", error), "/home/ada/mill", whole=whole)
    return ["".join(span.text for span in one) for one in lines]


def test_the_root_cause_comes_first_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "nodes.py"
    file.write_text("def train():\n    try:\n        {}['x']\n    except KeyError:\n"
                    "        raise ValueError('no price')\n")  # fmt: skip
    code = compile(file.read_text(), str(file), "exec")
    names: dict[str, object] = {}
    exec(code, names)
    with pytest.raises(ValueError, match="no price") as caught:
        names["train"]()  # type: ignore[operator]
    info = error_info(caught.value, tmp_path)

    assert info.cause is not None
    assert (info.handling, info.cause.handling) == (True, False)
    assert info.cause.snippet_at == f"{file}:3"
    assert info.snippet_at == f"{file}:5"
    shown = text_of(info)
    assert shown[0] == "KeyError: 'x'"
    assert f"  {file}:3" in shown
    assert "  raised while handling the KeyError above" in shown
    assert shown.index(f"  {file}:3") < shown.index("ValueError: no price")


def test_a_line_that_does_not_parse_is_shown_with_its_column(tmp_path: Path) -> None:
    file = tmp_path / "nodes.py"
    file.write_text("x = 1\ny = = 2\nz = 3\n")
    with pytest.raises(SyntaxError) as caught:
        compile(file.read_text(), str(file), "exec")
    info = error_info(caught.value, tmp_path)

    assert info.snippet_at == f"{file}:2"
    assert [text.rstrip() for text in info.snippet] == [
        "     1 | x = 1",
        ">    2 | y = = 2",
        "       |     ^",
        "     3 | z = 3",
    ]


def test_the_traceback_of_a_worker_is_folded() -> None:
    waited = Frame("/usr/lib/python3.11/site-packages/kedro/runner/task.py", 9, "wait")
    error = ErrorInfo(
        type="ValueError", message="bad shape", frames=(waited,), remote=REMOTE
    )
    shown = "\n".join(text_of(error))

    assert "... 1 frame of Python" in shown
    assert "> src/nodes.py:33 in train" in shown
    assert "fit(x)" in shown
    assert "call_item" not in shown
    assert "wait" not in shown
    assert "call_item" in "\n".join(text_of(error, whole=True))


def test_the_kernels_counter_of_kills_is_read(tmp_path: Path) -> None:
    mine, root = tmp_path / "cgroup", tmp_path / "fs"
    mine.write_text("1:cpu:/old\n0::/app\n")
    assert oom_kills(mine, root) is None
    (root / "app").mkdir(parents=True)
    (root / "app/memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    assert oom_kills(mine, root) == 2
    mine.write_text("1:cpu:/old\n")
    assert oom_kills(mine, root) is None


def test_keys_are_named_as_the_loaded_parameters_have_them() -> None:
    text = "yes: 1\n0x10: 2\n.nan: 3\n7: 4\n'yes': 5\n~: 6\n"
    places = yaml_places(text, "p.yml")
    lines = {key: place.line for key, place in places.items()}
    assert lines == {
        ("True",): 1, ("16",): 2, ("nan",): 3, ("7",): 4, ("yes",): 5, ("None",): 6
    }  # fmt: skip


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")
@pytest.mark.parametrize("ignored", [False, True])
def test_sighup_is_reported_unless_it_is_ignored(*, ignored: bool) -> None:
    script = (
        "import os, signal\n"
        f"if {ignored}: signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from kedro_journal.recording import signals\n"
        "def told(number): print(signals.name(number), flush=True); return True\n"
        "signals.watch(told)\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "signals.unwatch(told)\n"
        "kept = signal.SIG_IGN if {0} else signal.SIG_DFL\n".format(ignored)
        + "assert signal.getsignal(signal.SIGHUP) is kept\n"
        "print('lives')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONFAULTHANDLER": ""},
    )
    expected = ("lives\n", 0) if ignored else ("SIGHUP\n", -signal.SIGHUP)
    assert (done.stdout, done.returncode) == expected, done.stderr


def test_a_command_of_another_program_is_no_command_of_kedro() -> None:
    host = CommandLine(argv=("host.py", "--params", "queue=7"), name="worker")
    state = SessionState(command=host, project_path="/home/ada/mill")

    assert started_by(state) == "host.py"
    assert arguments_of(state) is None
    assert command_text(state).startswith("# in host.py --params queue=7\nfrom ")


def test_a_parameter_that_the_command_was_not_given_is_of_the_call() -> None:
    command = CommandLine(
        argv=("kedro", "run"), name="run", flags={"params": {"a": 1}}, given=("params",)
    )
    places = _runtime_places({"a": 1, "b": 2}, command)

    assert {key[0]: place.source for key, place in places.items()} == {
        "a": "--params",
        "b": "runtime_params",
    }


def test_what_a_file_that_was_not_read_may_override_is_not_known() -> None:
    read = {("a",): Place("conf/base/parameters.yml", 1)}

    assert _source(("a",), [{}, read, None]).source == "conf/base/parameters.yml"
    assert not _source(("a",), [{}, None, read]).source


def test_hidden_files_are_those_that_kedro_passes_over() -> None:
    assert _is_hidden(".ipynb_checkpoints/parameters-checkpoint.yml")
    assert _is_hidden("a/.parameters.yml")
    assert not _is_hidden("a/parameters.yml")
