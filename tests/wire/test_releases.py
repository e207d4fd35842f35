"""What a release wrote is read to the same state for ever; its schemas only grow."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from additive import breaking
from release import RELEASES, SUMS, journals_of, releases, state_text, sums

from kedro_journal.events import EVENT_TYPES, Record, UnknownEvent
from kedro_journal.events.schema import published
from kedro_journal.journal import read, verify
from kedro_journal.state import SessionState, evolve, fold

JOURNALS = [
    pytest.param(path, id=f"{release.name}-{path.stem}")
    for release in releases()
    for path in journals_of(release)
]
SCHEMAS = [
    pytest.param(path, id=f"{release.name}-{path.stem}")
    for release in releases()
    for path in sorted((release / "schema").rglob("*.json"))
]


def within(known: Any, found: Any, at: str = "state") -> None:
    """Assert that everything known is found; a later version may know more."""
    if isinstance(known, dict):
        assert isinstance(found, dict), at
        for key, value in known.items():
            assert key in found, f"{at}.{key}"
            within(value, found[key], f"{at}.{key}")
    elif isinstance(known, list):
        assert isinstance(found, list), at
        assert len(found) == len(known), at
        for number, value in enumerate(known):
            within(value, found[number], f"{at}[{number}]")
    else:
        assert found == known, at


@pytest.mark.parametrize("path", JOURNALS)
def test_a_journal_adds_up_to_the_state_that_it_did(path: Path) -> None:
    known = json.loads(path.with_suffix(".state.json").read_text())
    records = list(read(path))
    state = SessionState()
    for record in records:
        state = evolve(state, record)

    assert state == fold(records)
    within(known, json.loads(state_text(state)))


@pytest.mark.parametrize("path", JOURNALS)
def test_every_record_of_it_is_read(path: Path) -> None:
    records: list[Record] = list(read(path))
    verified = verify(path)

    assert records
    assert not any(isinstance(record.event, UnknownEvent) for record in records)
    assert verified.ok
    assert verified.findings == ()


@pytest.mark.parametrize("release", releases(), ids=lambda path: path.name)
def test_a_release_has_every_type_that_its_schemas_have(release: Path) -> None:
    names = {path.stem.rpartition(".v")[0] for path in release.glob("schema/events/*")}
    found = {record.type for path in journals_of(release) for record in read(path)}

    assert names
    assert names == found


def test_the_endings_of_the_latest_release_are_what_they_are_called() -> None:
    verdicts = {
        path.stem: fold(read(path)).verdict for path in journals_of(releases()[-1])
    }

    for level in (0, 1):
        assert verdicts[f"real-completed-level-{level}"] == "completed"
        assert verdicts[f"real-threads-level-{level}"] == "completed"
        assert verdicts[f"real-processes-level-{level}"] == "completed"
        assert verdicts[f"real-failed-level-{level}"] == "failed"
        assert verdicts[f"real-killed-level-{level}"] == "running"  # by records alone
        assert verdicts[f"real-interrupted-level-{level}"] == "interrupted"
        assert verdicts[f"real-terminated-level-{level}"] == "interrupted"
    assert verdicts["real-resumed-level-1"] == "completed"


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_published_schema_was_only_added_to(path: Path) -> None:
    name = path.relative_to(next(p for p in path.parents if p.name == "schema"))
    now = published()

    assert name.as_posix() in now, "it was removed"
    old, new = json.loads(path.read_text()), json.loads(now[name.as_posix()])
    assert breaking(old, new) == []


@pytest.mark.parametrize("release", releases(), ids=lambda path: path.name)
def test_a_release_is_what_it_was(release: Path) -> None:
    assert (release / SUMS).read_text() == sums(release)


def test_a_tagged_release_was_never_altered() -> None:
    root = Path(__file__).parents[2]
    folder = RELEASES.relative_to(root).as_posix()

    def git(*arguments: str) -> bytes:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout

    try:
        tags = git("tag", "--merged", "HEAD").decode().split()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: a source archive has no history to compare")
    for tag in tags:
        for name in git("ls-tree", "-r", "--name-only", tag, folder).decode().split():
            assert (root / name).read_bytes() == git("show", f"{tag}:{name}"), name


def schema() -> dict[str, Any]:
    path = "events/session.closed.v1.json"
    found: dict[str, Any] = json.loads(published()[path])
    return found


def test_additions_are_no_breaking_change() -> None:
    old = schema()
    new = copy.deepcopy(old)
    new["properties"]["mood"] = {"type": "string", "default": ""}
    new["properties"]["reason"]["description"] = "other words"
    new.setdefault("$defs", {})["Mood"] = {"type": "object"}

    assert breaking(old, new) == []
    old["properties"]["kind"] = {"enum": ["a"]}
    new["properties"]["kind"] = {"enum": ["a", "b"]}
    assert breaking(old, new) == []


def _without_a_field(new: dict[str, Any]) -> None:
    del new["properties"]["reason"]


def _another_type(new: dict[str, Any]) -> None:
    new["properties"]["reason"]["type"] = "integer"


def _a_wider_type(new: dict[str, Any]) -> None:
    new["properties"]["exit_code"]["anyOf"].append({"type": "string"})


def _required(new: dict[str, Any]) -> None:
    new["required"] = [*new.get("required", ()), "reason"]


def _another_default(new: dict[str, Any]) -> None:
    new["properties"]["reason"]["default"] = "exit"


def _a_bound(new: dict[str, Any]) -> None:
    new["properties"]["reason"]["maxLength"] = 3


@pytest.mark.parametrize(
    "change",
    [
        _without_a_field,
        _another_type,
        _a_wider_type,
        _required,
        _another_default,
        _a_bound,
    ],
)
def test_everything_else_is_one(change: Any) -> None:
    old = schema()
    new = copy.deepcopy(old)
    change(new)

    assert breaking(old, new)


def test_a_field_that_is_not_required_any_more_is_one_too() -> None:
    old = schema()
    old["required"] = ["reason"]

    assert breaking(old, schema())
    assert breaking({"enum": ["a", "b"]}, {"enum": ["a"]})


def test_every_event_type_of_today_is_in_the_made_up_journals() -> None:
    full = next(p for p in journals_of(releases()[-1]) if p.stem == "every-event-full")

    known = {record.type for record in read(full)}
    assert known <= set(EVENT_TYPES)
