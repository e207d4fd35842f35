"""Feed a hostile file to replay, to the views and to the commands that print them."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from kedro_journal.cli import journal
from kedro_journal.config import explain_config, find_project, load_config
from kedro_journal.errors import ConfigError, JournalError
from kedro_journal.events import Record
from kedro_journal.journal import JournalDirectory, read, verify
from kedro_journal.replaying import records, replay, replay_folder, sessions
from kedro_journal.replaying.locate import newest_unclosed
from kedro_journal.state import SessionState, evolve, fold
from kedro_journal.views import (
    Detail,
    Listed,
    Screen,
    Timeline,
    changes,
    json_line,
    json_text,
    record_data,
    render,
    session_view,
    sessions_view,
    state_data,
    summary_data,
    verification_view,
)

from .readers import Broken, Case, Target

__all__ = ["CONFIG", "VIEWS", "check_printable", "target_config"]

# What a terminal obeys, but for the newlines that views put there themselves.
_OBEYED: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff]"
)
NOW: Final = datetime(2026, 11, 22, 5, 11, 32, tzinfo=UTC)
_EAST: Final = timezone(timedelta(hours=14))
_WEST: Final = timezone(-timedelta(hours=12))
SCREENS: Final = (
    Screen(NOW),
    Screen(NOW, 60, _EAST),
    Screen(NOW, 100, _WEST),
    Screen(NOW, 80, paint=lambda text, role: f"<{role}>{text}</>"),
)
DETAIL: Final = Detail(parameters=True, all_nodes=True, datasets=True, traceback=True)
_STEPPED_RECORDS: Final = 200  # `evolve` copies the state for each


def check_printable(text: str, where: str) -> None:
    """Find what a terminal would obey."""
    if found := _OBEYED.search(text):
        raise Broken(f"{where} prints U+{ord(found[0]):04X}")


def _json(text: str, where: str) -> None:
    check_printable(text, where)
    for one in text.splitlines() if where.endswith("lines") else [text]:
        try:
            json.loads(one)
        except RecursionError:
            return
        except ValueError as error:
            if "integer string conversion" not in str(error):
                raise Broken(f"{where} is no JSON: {error}") from error


def _records(case: Case) -> Iterator[Record]:
    return read(case.path, mode="salvage")


def target_fold(case: Case) -> None:
    """State, whole and in two parts."""
    if case.size > 2_000_000:
        fold(_records(case))
        return
    records = list(_records(case))
    cut = case.rng.randrange(len(records) + 1)
    whole = fold(records)
    if fold(records[cut:], initial=fold(records[:cut])) != whole:
        raise Broken("folding in two parts gives another state")
    state = SessionState()
    for record in records[:_STEPPED_RECORDS]:
        before, state = state, evolve(state, record)
        changes(before, record, state)
    for part in (whole, state):
        assert part.verdict
        assert part.parameters is not None


def target_replay(case: Case) -> None:
    """`replay`, `records`, `sessions` and the search for the current session."""
    where: dict[str, Any] = {"directory": case.folder.parent}
    name = case.folder.name
    replay(name, salvage=True, **where)
    for until in (0, 1, 10**18):
        with _strict():
            replay(name, until_seq=until, **where)
    with _strict():
        list(records(name, **where))
    list(sessions(**where))
    newest_unclosed(JournalDirectory(case.folder.parent))


def _strict() -> contextlib.suppress:
    return contextlib.suppress(JournalError)  # damage, which strict readers report


def target_views(case: Case) -> None:
    """Every view, on screens of several widths, time zones and colours."""
    state = replay_folder(case.folder, salvage=True)
    found = verify(case.path)
    screen = case.rng.choice(SCREENS)
    texts = {
        "show": session_view(state, screen, findings=found.findings, journal="j"),
        "show whole": session_view(state, screen, detail=DETAIL),
        "list": sessions_view([Listed(state), Listed(SessionState())], screen),
        "verify": verification_view("s", found, screen),
    }
    timeline = Timeline(screen)
    texts["tail"] = render(map(timeline.line, _records(case)), screen.paint)
    for where, text in texts.items():
        check_printable(text, where)
    _json(json_text(state_data(state)), "show --json")
    _json(json_text(summary_data(state, NOW)), "list --json")
    for record in _records(case):
        _json(json_line(record_data(record)), "tail --json lines")


_COMMANDS: Final = (
    ("show",),
    ("show", "--salvage", "--parameters", "--nodes", "--all-nodes", "--traceback"),
    ("show", "--salvage", "--json"),
    ("list", "--all"),
    ("list", "--json"),
    ("tail", "--salvage", "-n", "9"),
    ("tail", "--salvage", "--json", "-n", "9"),
    ("tail",),
    ("replay", "--salvage"),
    ("replay", "--salvage", "--at", "3"),
    ("replay", "--salvage", "--json"),
    ("replay", "--salvage", "--step"),
    ("replay", "--step", "--json"),
    ("trace", "parameters", "--salvage"),
    ("trace", "raw", "--salvage"),
    ("trace", "lr", "--salvage", "--json"),
    ("verify",),
    ("verify", "--json"),
    ("verify", "--all"),
)


def target_commands(case: Case) -> None:
    """The commands as a person gives them."""
    for command in case.rng.sample(_COMMANDS, 5 if case.small else 2):
        if "--step" in command and not case.small:
            continue
        where = " ".join(command)
        alone = command[0] in ("list", "trace") or "--all" in command
        wanted = () if alone else ("latest",)
        args = [*command, *wanted, "--directory", str(case.folder.parent)]
        code, stdout, stderr = _typed(args)
        check_printable(stderr, f"{where}, on stderr,")
        if "--json" in command and code == 0:
            lines = " lines" if "tail" in where or "--step" in where else ""
            _json(stdout, where + lines)
        else:
            check_printable(stdout, where)


_STDOUT: Final = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")
_STDERR: Final = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", "")
"""The same for every command: click never lets go of a stream that it wrote to."""


def _typed(args: list[str]) -> tuple[object, str, str]:
    """Run a command; give its exit code and what it printed."""
    code: object = 0
    with contextlib.redirect_stdout(_STDOUT), contextlib.redirect_stderr(_STDERR):
        try:
            journal.main(args, prog_name="kedro-journal")
        except SystemExit as end:
            code = end.code
        finally:
            stdout, stderr = _taken(_STDOUT), _taken(_STDERR)
    return code, stdout, stderr


def _taken(stream: io.TextIOWrapper) -> str:
    """Take out what was printed."""
    stream.flush()
    stream.seek(0)
    text = stream.read()
    stream.seek(0)
    stream.truncate()
    return text


VIEWS: Final[dict[str, Target]] = {
    "fold": target_fold,
    "replay": target_replay,
    "views": target_views,
    "commands": target_commands,
}


def target_config(project: Path) -> None:
    """`load_config` and `find_project` on a hostile pyproject.toml."""
    find_project(project)
    load_config(project, {}, lambda error: None)
    explain_config(project, {})
    with contextlib.suppress(ConfigError):
        load_config(project, {}).journal_directory(project)


CONFIG: Final = (
    b"", b"\x00", b"\xff\xfe[\x00t\x00", b"\xef\xbb\xbf[tool.kedro_journal]\n",
    b"[tool.kedro_journal]\ndirectory = 5\n",
    b"[tool.kedro_journal]\ndirectory = \"\"\n",
    b"[tool.kedro_journal]\ndirectory = \"~nobody_at_all/x\"\n",
    b"[tool.kedro_journal]\ndirectory = \"\\u0000\"\n",
    b"[tool.kedro_journal]\nlock_timeout_s = nan\n",
    b"[tool.kedro_journal]\nlock_timeout_s = -inf\n",
    b"[tool.kedro_journal]\nlock_timeout_s = 1e999\n",
    b"[tool.kedro_journal]\nredact = " + b"[" * 400 + b"]" * 400 + b"\n",
    b"[tool.kedro_journal]\nredact = [" + b'"x",' * 20_000 + b"]\n",
    b"[tool.kedro_journal]\nlock_timeout_s = " + b"9" * 5000 + b"\n",
    b"[tool.kedro_journal]\nx = " + b"[" * 3000 + b"]" * 3000 + b"\n",
    b"[tool]\nkedro_journal = " + b"[" * 400 + b"]" * 400 + b"\n",
    b"tool = 3\n", b"[tool]\nkedro_journal = \"x\"\nkedro = 1\n",
    b"[[tool]]\n", b"[tool.kedro_journal]\nunknown_\xc2\x9b = 1\n",
    b"[tool.kedro_journal]\nx = 0001-01-01T00:00:00+99:99\n",
    b"[tool.kedro_journal]\n\"\\u001b[2J\" = 1\n",
)  # fmt: skip
"""Hostile pyproject.toml files, which mutations begin with."""
