"""What differs between sessions, and what each of a chain added, by their states."""

from __future__ import annotations

from datetime import UTC, datetime

from resume_world import Journal, World, node

from kedro_journal.analysis import compare
from kedro_journal.events import (
    CommandLine,
    ContextLoaded,
    Event,
    Git,
    SessionCreated,
    Versions,
)
from kedro_journal.state import SessionState, trace
from kedro_journal.views.compare import comparison_view
from kedro_journal.views.terminal import Screen

LINE = [
    node("a", ["raw"], ["first"]),
    node("b", ["first"], ["second"]),
    node("c", ["second"], ["third"]),
]
SCREEN = Screen(datetime(2026, 1, 1, tzinfo=UTC))


def session(
    world: World,
    name: str,
    *done: str,
    of: Journal | None = None,
    broken: str = "",
    **facts: Event,
) -> Journal:
    """A session in which nodes completed, and one broke."""
    planned = [*done, *([broken] if broken else [])]
    journal = world.begin(name, planned, of)
    for event in facts.values():
        journal.add(event, world.tick())
    memory = dict.fromkeys(("first", "second", "third"), "x")
    for one in done:
        world.execute(journal, one, memory)
    if broken:
        world.execute(journal, broken, memory, until="failed")
    return journal


def test_what_each_attempt_added_did_anew_kept_and_broke() -> None:
    world = World(LINE, {"second": "versioned"})
    one = session(world, "s0", "a", "b", broken="c")
    two = session(world, "s1", "b", broken="c", of=one)
    three = session(world, "s2", "c", of=two)
    states = [one.state(), two.state(), three.state()]

    second = compare(states[:1], states[1])
    assert (second.added, second.anew, second.kept, second.broken) == (
        (), ("b",), ("a",), ("c",),
    )  # fmt: skip
    assert second.datasets_anew == {"second": "s1"}
    third = compare(states[:2], states[2])
    assert (third.added, third.anew, third.kept) == (("c",), (), ("a", "b"))
    assert third.datasets_added == {"third": None}
    assert (third.before, third.after) == ("s1", "s2")


def test_nodes_of_a_run_that_began_anew_are_left_out_and_not_reused() -> None:
    world = World(LINE, {"second": "versioned"})
    one = session(world, "s0", "a", "b", "c")
    two = session(world, "s1", "a", "b")
    found = compare([one.state()], two.state())
    assert (found.kept, found.left_out) == ((), ("c",))


def described(world: World, name: str, **changed: object) -> SessionState:
    """A session with all that is compared."""
    given: dict[str, object] = {
        "parameters": {"model": {"lr": 0.1}, "seed": 1},
        "env": "base",
        "git": Git(sha="aa", branch="main"),
        "versions": Versions(kedro="1.0", packages_sha256="aa"),
        "flags": {"tags": "x"},
        **changed,
    }
    journal = Journal(name, f"run {name}")
    flags = given["flags"]
    assert isinstance(flags, dict)
    created = SessionCreated(
        session_id=name,
        git=given["git"],  # type: ignore[arg-type]
        versions=given["versions"],  # type: ignore[arg-type]
        command=CommandLine(name="run", flags=flags, given=tuple(flags)),
    )
    context = ContextLoaded(
        env=str(given["env"]),
        parameters=given["parameters"],  # type: ignore[arg-type]
        config_sources=("conf/base/catalog.yml",),
        config_sha256=(str(given.get("catalog", "11")),),
    )
    journal.add(created, world.tick())
    journal.add(context, world.tick())
    world.start_run(journal, ["a"])
    return journal.state()


def test_settings_that_differ_are_told_with_both_values() -> None:
    world = World(LINE, {})
    before = described(world, "s0")
    assert compare([before], described(world, "s1")).differences == ()
    after = described(
        world,
        "s1",
        parameters={"model": {"lr": 0.2}, "depth": 3},
        env="prod",
        git=Git(sha="bb", branch="main"),
        versions=Versions(kedro="1.1", packages_sha256="bb"),
        flags={"env": "prod"},
        catalog="22",
    )
    found = compare([before], after)
    text = comparison_view([found], SCREEN)
    for line in (
        "parameter      model.lr: 0.1 -> 0.2",
        "parameter      depth: (not set) -> 3",
        "parameter      seed: 1 -> (not set)",
        'env            env: "base" -> "prod"',
        'git            commit: "aa" -> "bb"',
        'version        kedro: "1.0" -> "1.1"',
        "version        packages: changed",
        'flag           tags: "x" -> (not set)',
        "configuration  conf/base/catalog.yml: changed",
    ):
        assert f"  {line}\n" in text, line
    assert "branch" not in text


def test_nothing_that_differs_is_told_as_well() -> None:
    world = World(LINE, {})
    found = compare([described(world, "s0")], described(world, "s1"))
    assert comparison_view([found], SCREEN).endswith("\n  nothing differs\n")


def test_a_dataset_of_a_session_that_is_gone_on_from_is_not_from_outside() -> None:
    world = World(LINE, {})
    one = session(world, "s0", "a", "b")
    two = session(world, "s1", "c", of=one)
    (alone,) = trace(two.state(), "second")
    assert alone.origin.startswith("outside")
    (found,) = trace(two.state(), "second", before=[one.state()])
    record = one.state().runs[0].nodes["b"].saves["second"].ended_seq
    assert found.origin == (
        f"node b, record {record} of session s0, which this one resumes"
    )
    assert found.value == "second/"
    assert "loaded by node c" in found.steps[0]
    (own,) = trace(two.state(), "third", before=[one.state()])
    assert own.origin.startswith("node c, record")
    assert "session" not in own.origin
