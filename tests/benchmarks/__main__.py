"""Measure, print the table, write JSON and a chart: `python tests/benchmarks`."""

from __future__ import annotations

import argparse
import compileall
import importlib
import importlib.util
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from chart import chart
from measure import Dose, Group, Summary, Verdict, distribution, run_group
from report import figures_table, put, targets_table

MODULES = ("append", "replay", "sessions", "commands", "follow", "run", "start")
PEERS = (
    *("kedro-journal", "kedro", "msgspec", "filelock", "eventsourcing", "structlog"),
    *("orjson", "mlflow", "mlflow-skinny", "kedro-mlflow", "duckdb", "polars"),
)


def say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def machine() -> dict[str, str]:
    """Describe where this runs."""
    memory = ""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        memory = f"{int(text.split()[1]) / 1024**2:.0f} GiB"
    except (OSError, ValueError):
        pass
    return {
        "system": " ".join(
            (
                platform.system(),
                platform.release().partition("-")[0],
                platform.machine(),
            )
        ),
        "python": platform.python_version(),
        "cores": str(os.cpu_count()),
        "memory": memory,
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(MODULES)}")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where; default: a temporary one")
    parser.add_argument("--json", type=Path, help="write everything there as well")
    parser.add_argument("--page", type=Path, help="put the tables into this page")
    parser.add_argument("--chart", type=Path, help="write an SVG there as well")
    found = parser.parse_args()
    if unknown := set(found.names) - set(MODULES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    return found


def measured(
    names: Iterable[str], dose: Dose, folder: Path
) -> Iterator[tuple[Group, dict[str, Summary], list[Verdict]]]:
    """Run the modules one after the other."""
    for name in names:
        groups = importlib.import_module(name).groups(dose, folder / name)
        for group in groups:
            rounds = dose.rounds if dose.quick else group.rounds or dose.rounds
            yield group, *run_group(group, rounds, say)
        shutil.rmtree(folder / name, ignore_errors=True)


def compile_as_pip_does() -> None:
    """Have bytecode of this package, which its source tree may lack, and use it.

    Else each process that is measured would compile the modules that it imports.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    package = importlib.util.find_spec("kedro_journal")
    for folder in (package and package.submodule_search_locations) or ():
        compileall.compile_dir(folder, quiet=1)


def main() -> int:
    """Run what was asked for. The exit code does not depend on the figures."""
    options = given()
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-", dir=options.folder))
    began, here = time.monotonic(), machine()
    dose = Dose(options.rounds, options.quick)
    compile_as_pip_does()
    versions = {name: distribution(name) for name in PEERS}
    found = []
    try:
        for one in measured(options.names or MODULES, dose, folder):
            found.append(one)
            if options.json is not None:  # at once: it may be stopped before its end
                text = _json(found, here, versions)
                options.json.write_text(text, encoding="utf-8")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = {
        "run": f"{datetime.now(UTC):%Y-%m-%d}, {time.monotonic() - began:.0f} s.\n"
        + ", ".join(f"{name} {value}" for name, value in here.items())
        + ".\n"
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + ".",
        "targets": targets_table(found),
        "figures": figures_table(found),
    }
    print("\n\n".join(told.values()))
    if options.page is not None:
        page = options.page.read_text(encoding="utf-8")
        for name, text in told.items():
            page = put(page, name, text)
        options.page.write_text(page, encoding="utf-8")
    if options.chart is not None:
        options.chart.write_text(chart(found), encoding="utf-8")
    return 0


def _json(
    found: list[tuple[Group, dict[str, Summary], list[Verdict]]],
    here: dict[str, str],
    versions: dict[str, str],
) -> str:
    groups: list[dict[str, Any]] = [
        {
            "name": group.name,
            "unit": group.unit,
            "figures": {
                name: summary.missing or summary.values
                for name, summary in figures.items()
            },
            "targets": [
                {
                    "what": verdict.target.what,
                    "limit": verdict.target.limit,
                    "at_least": verdict.target.at_least,
                    "values": verdict.values,
                    "met": verdict.met,
                }
                for verdict in verdicts
            ],
        }
        for group, figures, verdicts in found
    ]
    data = {"machine": here, "versions": versions, "groups": groups}
    return json.dumps(data, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
