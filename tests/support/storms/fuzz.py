"""Hostile input to everything that reads: a child process is fed, limited and watched.

It is a process of its own, so that its memory can be measured, a hang can be ended and
a crash of the interpreter is seen. `fuzzing` has what it does.
"""

from __future__ import annotations

import importlib.util
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from .account import Account, Say, Suite

__all__ = ["SUITE", "run", "storm"]

CHILD: Final = Path(__file__).parents[1] / "fuzzing" / "child.py"
SILENCE_S: Final = 300.0  # longer than any target may take
FULL: Final = 480
CHILDREN_MAX: Final = 5  # one after the other, where the interpreter itself breaks


def run(count: int, folder: Path, seed: int, say: Say) -> Account:
    """Feed hostile input; half of a full dose is led by atheris, where it is."""
    if count < FULL or importlib.util.find_spec("atheris") is None:
        return storm(count, folder / "own", seed, say)
    account = storm(count // 2, folder / "own", seed, say, dose=10)
    rest = count - account.count
    guided = storm(rest, folder / "guided", seed, say, guided=True)
    account.count += guided.count
    account.violations += guided.violations
    account.figures |= {f"{name} (atheris)": n for name, n in guided.figures.items()}
    return account


def storm(
    cpu_s: int,
    folder: Path,
    seed: int,
    say: Say,
    *,
    dose: int = 0,
    guided: bool = False,
    sabotage: str = "",
    only: Sequence[str] = (),
) -> Account:
    """Feed hostile input for that many CPU-seconds.

    Args:
        cpu_s: CPU-seconds of the child, of which every family takes its part first.
        folder: An empty folder.
        seed: Where chance begins; a child that had to be started anew goes on from the
            next.
        say: Takes progress.
        dose: How large the families' files are: 1 or 10; 0 goes by the time.
        guided: Led by atheris, which must be installed.
        sabotage: Name of a protection that is left out, see `fuzzing.sabotage`.
        only: Families to which it is limited.
    """
    account = Account()
    for number in range(CHILDREN_MAX):
        work = folder / str(number)
        work.mkdir(parents=True)
        options = ["--seed", str(seed + number), "--cpu-s", str(cpu_s - account.count)]
        options += ["--dose", str(dose or (10 if cpu_s >= FULL else 1))]
        options += ["--sabotage", sabotage, *(f"--only={name}" for name in only)]
        options += ["--guided"] * guided
        done = _watch([str(work), *options], work, account, say)
        if done or only or account.count >= cpu_s:
            break
    return account


def _watch(options: list[str], work: Path, account: Account, say: Say) -> bool:
    """Run one child to its end. Tells whether it came to a good one."""
    environ = {**os.environ, "PYTHONHASHSEED": "0", "TZ": "UTC"}
    process = subprocess.Popen(
        [sys.executable, str(CHILD), *options],
        stdout=subprocess.PIPE,
        stderr=(work / "stderr").open("wb"),
        cwd=work,
        env=environ,
    )
    assert process.stdout is not None
    begun, done = _cpu_s(), False
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        heard = time.monotonic()
        at = b""
        while process.poll() is None or selector.select(0):
            if selector.select(1.0):
                text = process.stdout.readline()
                if not text:
                    break
                done = _hear(json.loads(text), account, say) or done
            now_at = (work / "at").read_bytes() if (work / "at").exists() else b""
            if now_at != at:
                at, heard = now_at, time.monotonic()
            elif time.monotonic() - heard > SILENCE_S:
                process.kill()
                account.violations.append(f"a reader hangs: {_where(work)}")
                break
    code = process.wait()
    process.stdout.close()
    if not done:
        account.count += round(_cpu_s() - begun)
        last = (work / "stderr").read_text(errors="replace").strip().splitlines()[-1:]
        account.violations.append(
            f"the process ended with {code} at {_where(work)}: {' '.join(last)}"
        )
    return done


def _hear(message: dict[str, Any], account: Account, say: Say) -> bool:
    """Take one message of the child. Tells whether it was the last."""
    if "say" in message:
        say(message["say"])
    if "violation" in message:
        account.violations.append(message["violation"])
    if "done" not in message:
        return False
    figures = message["done"]
    account.count += int(figures.pop("cpu"))
    account.figures |= figures
    return True


def _where(work: Path) -> str:
    try:
        return (work / "at").read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError):
        return "its start"


def _cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


SUITE: Final = Suite(
    name="fuzz",
    fault="hostile bytes, and hostile records with valid checksums, to every reader",
    unit="CPU-seconds",
    full=FULL,
    small=16,
    run=run,
)
