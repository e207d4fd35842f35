"""prune on real journals: what goes, what stays, and what a death in between leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kedro_journal.analysis.retention import (
    Policy,
    ResumeChain,
    chains_of,
    parse_age,
    parse_size,
    to_remove,
)
from kedro_journal.config import load_config
from kedro_journal.errors import ConfigError, JournalError
from kedro_journal.events import RunCompleted, SessionClosed, SessionResumed
from kedro_journal.journal import JournalDirectory, OwnerLock
from kedro_journal.journal import removal as removal_module
from kedro_journal.journal.removal import ASIDE_NAME, recover, remove_folders
from kedro_journal.recording.retention import STAMP_NAME, prune_later
from kedro_journal.replaying import pruning

from .conftest import RUN, run_of

NOW = datetime(2026, 12, 1, tzinfo=UTC)
OLD, OTHER = "2026-11-20T05.00.00.000Z", "2026-11-21T05.00.00.000Z"


def chain(name: str, days: int, *, size: int = 10, verdict: str = "completed", held=""):
    ended = NOW - timedelta(days=days)
    return ResumeChain(
        session_ids=(name,),
        verdict=verdict,
        ended_at=ended,
        size_bytes=size,
        held=held,
    )


def resumed(journals, wanted: str, parent: str) -> None:
    journals.begin(
        wanted,
        SessionResumed(parent_session_id=parent, parent_run_id=RUN),
        *run_of("split"),
        RunCompleted(run_id=RUN),
        SessionClosed(exit_code=0),
    )


def ids(path: Path) -> set[str]:
    return set(JournalDirectory(path).ids())


def test_a_policy_combines_its_limits():
    chains = [
        chain("a", 100),
        chain("b", 95, verdict="failed"),
        chain("c", 5),
        chain("d", 1),
    ]
    names = ["a", "b", "c", "d"]

    def removed(**limits) -> dict[str, str]:
        found = to_remove(chains, names, Policy(**limits), NOW)
        return {one.chain.session_ids[0]: one.reason for one in found}

    assert removed(older=timedelta(days=90)) == {"a": "older", "b": "older"}
    assert removed(older=timedelta(days=90), keep=3) == {"a": "older"}
    assert removed(keep=2) == {"a": "keep", "b": "keep"}
    assert removed(keep=0).keys() == set(names)
    assert removed(max_bytes=25) == {"a": "max-size", "b": "max-size"}
    assert removed(keep=4, max_bytes=0) == {}
    assert removed(keep=0, verdicts=("failed",)) == {"b": "keep"}
    # What is held frees nothing, so that others have to go instead.
    chains[0] = chain("a", 100, held="it runs")
    assert removed(max_bytes=25).keys() == {"a", "b", "c"}


def test_spans_and_sizes_are_parsed_or_refused():
    assert parse_age("90d") == timedelta(days=90)
    assert parse_age(" 2 W ") == timedelta(weeks=2)
    assert (parse_size("2G"), parse_size("10MiB"), parse_size("7")) == (
        2 * 1024**3,
        10 * 1024**2,
        7,
    )
    for text in ("90", "d", "-1d", "1.5d", ""):
        with pytest.raises(ValueError, match="is not a time span"):
            parse_age(text)
    for text in ("G", "-1", "2 X"):
        with pytest.raises(ValueError, match="is not a size"):
            parse_size(text)


def test_chains_are_whole_whatever_the_order():
    parents = {"b": "a", "a": None, "c": "gone", "d": "b", "e": "e"}
    assert chains_of(parents) == [["b", "a", "d"], ["c"], ["e"]]


def test_a_chain_goes_as_a_whole_and_what_lives_stays(call, journals):
    journals.failed(OLD)
    resumed(journals, "2026-11-20T06.00.00.000Z", OLD)
    journals.completed(OTHER)
    journals.let_go()
    journals.running("2026-11-22T05.00.00.000Z")
    journals.crashed("2026-11-22T06.00.00.000Z")
    where = ("--directory", journals.path)
    before = ids(journals.path)

    dry = call("prune", "--keep", 0, "--dry-run", "--json", *where)
    untouched = ids(journals.path)
    failed = call("prune", "--keep", 0, "--verdict", "failed", *where)
    done = call("prune", "--keep", 0, *where)

    assert untouched == before
    assert not (journals.path / ASIDE_NAME).exists() or not list(
        (journals.path / ASIDE_NAME).iterdir()
    )
    told = json.loads(dry.stdout)
    assert [one["session_ids"] for one in told["removed"]] == [
        [OLD, "2026-11-20T06.00.00.000Z"],
        [OTHER],
        ["2026-11-22T06.00.00.000Z"],
    ]
    # The verdict of a chain is that of its last session: none of them failed.
    assert "Removed 0 sessions" in failed.stdout
    assert ids(journals.path) == {"2026-11-22T05.00.00.000Z"}
    assert "Removed 4 sessions" in done.stdout
    assert "it runs" in done.stdout
    assert told["freed_bytes"] > 0
    assert told["left"] == 1


def test_the_newest_of_a_chain_keeps_all_of_it(call, journals):
    journals.failed(OLD)
    journals.completed(OTHER)
    resumed(journals, "2026-11-22T07.00.00.000Z", OLD)
    journals.let_go()

    call("prune", "--keep", 1, "--directory", journals.path)

    assert ids(journals.path) == {OLD, "2026-11-22T07.00.00.000Z"}


def test_limits_are_needed(call, journals):
    journals.completed()
    for words in ((), ("--verdict", "completed"), ("--older", "90"), ("--dry-run",)):
        result = call("prune", *words, "--directory", journals.path)
        assert result.exit_code == 2
    assert ids(journals.path)


def test_a_claim_and_a_resumption_made_meanwhile_keep_the_chain(
    call, journals, monkeypatch
):
    journals.failed(OLD)
    journals.let_go()
    claim = OwnerLock(journals.path / OLD / "resume.lock")
    claim.acquire()
    claimed = call("prune", "--keep", 0, "--directory", journals.path)
    claim.release()

    # It is resumed, and that ends, after the chains were gathered.
    to_remove_before = pruning.to_remove

    def then_resumed(*given):
        named = to_remove_before(*given)
        resumed(journals, "2026-11-22T07.00.00.000Z", OLD)
        journals.let_go()
        return named

    monkeypatch.setattr(pruning, "to_remove", then_resumed)
    grown = call("prune", "--keep", 0, "--directory", journals.path)

    assert "another process holds it" in claimed.stdout
    assert "it was resumed just now" in grown.stdout
    assert ids(journals.path) == {OLD, "2026-11-22T07.00.00.000Z"}


def test_only_one_process_prunes(call, journals):
    journals.completed()
    journals.let_go()
    lock = OwnerLock(journals.path / removal_module.PRUNE_LOCK_NAME)
    lock.acquire()
    result = call("prune", "--keep", 0, "--directory", journals.path)
    lock.release()

    assert result.exit_code == 1
    assert "another process prunes it" in result.stderr
    assert ids(journals.path)


def test_a_folder_that_cannot_be_renamed_keeps_all_of_the_batch(journals, monkeypatch):
    journals.completed(OLD)
    journals.completed(OTHER)
    journals.let_go()
    where = JournalDirectory(journals.path)
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self == journals.path / OTHER:
            raise PermissionError(13, "no", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(JournalError, match="no"):
        remove_folders(where, [OLD, OTHER])

    assert ids(journals.path) == {OLD, OTHER}
    assert list((journals.path / ASIDE_NAME).iterdir()) == []


KILLED = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from kedro_journal.journal import JournalDirectory, removal
step = {step!r}
wait = lambda *_: (print("there", flush=True), sys.stdin.read())
if step == "renaming":
    old = Path.rename
    def rename(self, target):
        if self.name == {other!r}: wait()
        return old(self, target)
    Path.rename = rename
else:
    old = removal.shutil.rmtree
    def rmtree(folder):
        if folder.name == {other!r}: wait()
        old(folder)
    removal.shutil.rmtree = rmtree
removal.remove_folders(JournalDirectory(Path({where!r})), [{old!r}, {other!r}])
"""


@pytest.mark.parametrize("step", ["renaming", "deleting"])
def test_a_killed_prune_is_undone_or_finished(call, journals, step):
    journals.completed(OLD)
    journals.completed(OTHER)
    journals.let_go()
    code = KILLED.format(
        path=sys.path, step=step, where=str(journals.path), old=OLD, other=OTHER
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"there\n"
    seen = ids(journals.path)
    child.send_signal(signal.SIGKILL)
    child.communicate()

    # The oldest goes first: what resumes it refuses to, rather than runs twice.
    assert seen == ({OTHER} if step == "renaming" else set())
    told = call("prune", "--older", "999w", "--json", "--directory", journals.path)

    data = json.loads(told.stdout)
    restored = step == "renaming"
    assert ids(journals.path) == ({OLD, OTHER} if restored else set())
    assert data["restored"] == ([OLD] if restored else [])
    assert data["deleted"] == ([] if restored else [OTHER])
    assert list((journals.path / ASIDE_NAME).iterdir()) == []
    verified = call("verify", "--all", "--directory", journals.path)
    assert verified.exit_code in (0, 3)


def test_a_session_whose_name_was_taken_again_is_not_overwritten(journals):
    journals.completed(OLD)
    journals.let_go()
    batch = journals.path / ASIDE_NAME / "x"
    batch.mkdir(parents=True)
    (batch / "plan").write_text(OLD)
    (journals.path / OLD).rename(batch / OLD)
    journals.completed(OLD)
    journals.let_go()

    found = recover(JournalDirectory(journals.path))

    assert found.stuck == (str(batch),)
    assert (batch / OLD / "journal.jsonl").exists()


def test_a_wrong_setting_is_refused(tmp_path):
    for right in ("--older 90d --keep 100", "--max-size=2G --verdict completed", ""):
        assert load_config(None, {"KEDRO_JOURNAL_PRUNE": right}).prune == right
    for wrong in ("--older 90", "90d", "--directory /", "--keep 1; rm", "--keep 1x"):
        with pytest.raises(ConfigError):
            load_config(None, {"KEDRO_JOURNAL_PRUNE": wrong})


def test_the_setting_prunes_in_a_process_of_its_own(journals):
    journals.completed(OLD)
    folder = journals.completed(OTHER).parent
    journals.let_go()
    prune_later("--keep 1", folder)
    deadline = time.monotonic() + 60
    while ids(journals.path) != {OTHER} and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ids(journals.path) == {OTHER}

    journals.completed("2026-11-23T05.00.00.000Z")
    journals.let_go()
    stamp = (journals.path / STAMP_NAME).stat().st_mtime_ns
    prune_later("--keep 1", folder)  # too soon: nothing is started
    assert (journals.path / STAMP_NAME).stat().st_mtime_ns == stamp
    os.utime(journals.path / STAMP_NAME, ns=(0, 0))
    (journals.path / STAMP_NAME).parent.chmod(0o500)
    try:
        prune_later("--keep 1", journals.path / "gone" / "x")  # it raises nothing
    finally:
        journals.path.chmod(0o700)
