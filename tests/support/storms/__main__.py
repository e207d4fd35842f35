"""Run storms and print their account: `python tests/support/storms --full`."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from storms.account import Account, Suite

SUITES = (
    "kills",
    "cuts",
    "damage",
    "calls",
    "syscalls",
    "power",
    "full_disk",
    "contention",
    "liveness",
    "resume",
    "worlds",
    "fuzz",
)


def load(name: str) -> Suite:
    """Give the suite of that name."""
    suite = importlib.import_module(f"storms.{name}").SUITE
    assert isinstance(suite, Suite)
    return suite


def say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Run what was asked for. The exit code is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="storms", description=__doc__)
    parser.add_argument("suites", nargs="*", help=f"which: {', '.join(SUITES)}")
    parser.add_argument("--full", action="store_true", help="the full dose")
    parser.add_argument("--count", type=int, help="another dose")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where; default: a temporary one")
    parser.add_argument("--json", type=Path, help="write the account there as well")
    given = parser.parse_args()
    if unknown := set(given.suites) - set(SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    accounts: list[tuple[Suite, Account, float]] = []
    for name in given.suites or SUITES:
        suite = load(name)
        count = given.count or (suite.full if given.full else suite.small)
        print(f"{name}: {count:,} {suite.unit}", file=sys.stderr, flush=True)
        if given.folder is not None:
            given.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"storm-{name}-", dir=given.folder))
        started = time.monotonic()
        try:
            account = suite.run(count, folder, given.seed, say)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        accounts.append((suite, account, time.monotonic() - started))
        _say_trouble(account, count)
    _print_table(accounts)
    if given.json is not None:
        _write_json(given.json, given.seed, accounts)
    broken = any(account.violations for _, account, _ in accounts)
    return 1 if broken else 0


def _say_trouble(account: Account, count: int) -> None:
    for line in account.violations[:20]:
        say(f"VIOLATION: {line}")
    for line in account.skipped:
        say(f"skipped: {line}")
    if account.count < count and not account.skipped:
        account.violations.append(f"only {account.count} of {count} struck")


def _print_table(accounts: list[tuple[Suite, Account, float]]) -> None:
    print("| fault | struck | what was counted | promises broken | time |")
    print("|---|---|---|---|---|")
    for suite, account, seconds in accounts:
        figures = ", ".join(
            f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
            for name, value in account.figures.items()
        )
        print(
            f"| {suite.fault} | {account.count:,} {suite.unit} | {figures} "
            f"| {len(account.violations)} | {seconds:.0f} s |"
        )


def _write_json(
    path: Path, seed: int, accounts: list[tuple[Suite, Account, float]]
) -> None:
    found = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "seed": seed,
        "suites": [
            {
                "name": suite.name,
                "fault": suite.fault,
                "unit": suite.unit,
                "seconds": round(seconds, 1),
                **asdict(account),
            }
            for suite, account, seconds in accounts
        ],
    }
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
