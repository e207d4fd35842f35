"""A change of a masked value is seen, or said to be unknown; never missed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from resume_world import Journal, World, node

from kedro_journal.analysis import Now, find_drift
from kedro_journal.analysis.masked import Digests, digests_of, masked_change
from kedro_journal.capture import user_key
from kedro_journal.capture.configuration import masked_now
from kedro_journal.capture.sources import arguments_sha256
from kedro_journal.events import ContextLoaded, PlannedNode, SessionCreated, Versions
from kedro_journal.redaction import Redactor


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh configuration folder; the key in it is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    user_key._key_at.cache_clear()
    found = user_key.key_path()
    assert found is not None
    return found


def context(parameters: dict[str, Any]) -> ContextLoaded:
    safe = Redactor().plain(parameters)
    key, names, digests = masked_now(parameters, safe)
    return ContextLoaded(
        parameters=safe,
        parameters_sha256="x",
        masked_key=key,
        masked=names,
        masked_hmac=digests,
    )


SECRETS: list[tuple[str, Any, Any, str]] = [
    ("db_password", "hunter2", "hunter3", "db_password"),
    ("api_key", 7, 8, "api_key"),
    ("model", {"api_key": "abc", "x": 1}, {"api_key": "abd", "x": 1}, "model.api_key"),
    ("url", "db://u:one@host/x", "db://u:two@host/x", "url"),
    ("credentials", {"a": [1, 2]}, {"a": [1, 3]}, "credentials"),
    ("hosts", [{"password": "a"}], [{"password": "b"}], "hosts"),
]


@pytest.mark.parametrize(("name", "was", "now", "path"), SECRETS)
def test_a_changed_secret_is_told_from_an_unchanged_one(
    key: Path, name: str, was: Any, now: Any, path: str
) -> None:
    before, after = context({name: was}), context({name: now})
    assert before.parameters == after.parameters
    written = before.parameters
    for part in path.split("."):
        written = written[part]
    found = [digests_of(one) for one in (before, context({name: was}), after)]
    assert masked_change(path, written, found[0], found[1]) is None
    assert "changed" == masked_change(path, written, found[0], found[2])


def test_without_a_key_or_with_another_one_it_is_unknown(
    key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests_of(context({"api_key": "one"}))
    key.write_bytes(bytes(32))
    user_key._key_at.cache_clear()
    after = digests_of(context({"api_key": "one"}))
    assert "unknown" == masked_change("api_key", "[redacted]", before, after)
    none = Digests("", {})
    assert "unknown" == masked_change("api_key", "[redacted]", before, none)
    assert masked_change("plain", "text", none, none) is None


def test_the_key_is_the_users_alone(key: Path) -> None:
    context({"api_key": "one"})
    assert 0o600 == key.stat().st_mode & 0o777
    assert 0o700 == key.parent.stat().st_mode & 0o777
    assert ["key"] == [path.name for path in key.parent.iterdir()]


@pytest.mark.parametrize("trouble", ["mode", "short", "link", "folder", "read-only"])
def test_a_key_that_others_may_know_is_not_used(
    key: Path, tmp_path: Path, trouble: str
) -> None:
    key.parent.mkdir(parents=True)
    if trouble == "mode":
        key.write_bytes(bytes(32))
        key.chmod(0o644)
    elif trouble == "short":
        key.touch(mode=0o600)
    elif trouble == "link":
        (tmp_path / "elsewhere").write_bytes(bytes(32))
        (tmp_path / "elsewhere").chmod(0o600)
        key.symlink_to(tmp_path / "elsewhere")
    elif trouble == "folder":
        key.mkdir()
    else:
        key.parent.chmod(0o500)
        if os.access(key.parent, os.W_OK):
            pytest.skip("this user may write anywhere")
    assert ("", (), ()) == masked_now({"api_key": "x"}, {"api_key": "[redacted]"})


def test_digests_do_not_tell_which_values_are_equal(key: Path) -> None:
    found = context({"api_key": "same", "db_password": "same"})
    assert 2 == len(set(found.masked_hmac))


def test_no_key_is_made_where_nothing_is_masked(key: Path) -> None:
    context({"alpha": 1, "name": "x"})
    assert not key.exists()


def test_what_cannot_be_read_exactly_has_no_digest(key: Path) -> None:
    assert () == context({"api_key": object()}).masked


def test_a_secret_that_a_partial_holds_counts_in_its_hash(key: Path) -> None:
    from functools import partial

    redact = Redactor().plain
    one, same, other = (
        arguments_sha256(partial(print, api_key=value), redact)
        for value in ("one", "one", "two")
    )
    assert one == same != other


def test_a_plan_names_the_node_that_uses_a_changed_secret(key: Path) -> None:
    plan: list[PlannedNode] = [node("a", ["params:api_key"], ["x"])]
    world, journal = World(plan, {}), Journal("s0", "run s0")
    journal.add(SessionCreated(session_id="s0"), world.tick())
    journal.add(context({"api_key": "one"}), world.tick())
    world.start_run(journal, ["a"])
    world.execute(journal, "a", {})
    key_id, names, digests = masked_now({"api_key": "two"}, {"api_key": "[redacted]"})
    now = Now(
        nodes=tuple(plan),
        parameters={"api_key": "[redacted]"},
        config_sha256={},
        stored={},
        git=None,
        versions=Versions(),
        masked=dict(zip(names, digests, strict=True)),
        masked_key=key_id,
    )
    found = [
        one for one in find_drift([journal.link()], now) if one.kind == "parameter"
    ]
    assert [("params:api_key", ("a",))] == [(one.subject, one.nodes) for one in found]
