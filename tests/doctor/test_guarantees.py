"""What follows from the checks. No file, no process: values in, values out."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from kedro_journal.doctor import Check
from kedro_journal.doctor.guarantees import guarantees
from kedro_journal.doctor.model import Status, note, ok, problem, warning, worst_of

PLACE = {"kind": "local", "not_guaranteed": []}
SYNCED = {"fdatasync_ms": 1.5}
WELL = {
    "settings.disable": {},
    "settings.hooks": {},
    "place.directory": {},
    "place.safe": {},
    "place.file_system": PLACE,
    "place.writable": {},
    "operations.write": {},
    "operations.modes": {},
    "operations.create": {},
    "operations.append": {},
    "operations.truncate": {},
    "operations.sync": SYNCED,
    "operations.journal": {},
    "locks.backend": {},
    "locks.descriptors": {},
    "locks.processes": {},
    "locks.backends": {},
    "locks.look": {},
    "locks.killed": {},
    "locks.forked": {},
}


def checks(
    without: Iterable[str] = (), kind: str = "local", **status: Status
) -> list[Check]:
    """Everything is well, but for what is said; `_` in a key stands for its dot."""
    found = []
    for key, facts in WELL.items():
        if key in without:
            continue
        more = {**facts, "kind": kind} if key == "place.file_system" else facts
        found.append(
            Check(
                key=key,
                status=status.get(key.replace(".", "_", 1), "ok"),
                text="",
                facts=more,
            )
        )
    return found


def answers(found: list[Check], durability: str = "flush") -> dict[str, str]:
    return {one.key: one.holds for one in guarantees(found, durability)}


def text(found: list[Check], key: str, durability: str = "flush") -> str:
    return {one.key: one.text for one in guarantees(found, durability)}[key]


@pytest.mark.parametrize(
    ("durability", "power"), [("flush", "partly"), ("group", "partly"), ("sync", "yes")]
)
def test_where_all_is_well_the_durability_decides(durability: str, power: str) -> None:
    assert answers(checks(), durability) == {
        "process_death": "yes",
        "power_loss": power,
        "several_processes": "yes",
        "several_hosts": "no",
    }


def test_the_cost_of_a_sync_is_told_where_every_event_pays_it() -> None:
    assert "1.5 ms" in text(checks(), "power_loss", "sync")
    assert "1.5 ms" not in text(checks(), "power_loss", "flush")


@pytest.mark.parametrize(
    "key",
    [
        "place_directory",
        "place_safe",
        "place_writable",
        "operations_write",
        "operations_modes",
        "settings_disable",
        "settings_hooks",
    ],
)
def test_what_keeps_journals_from_being_written_leaves_nothing(key: str) -> None:
    found = answers(checks(**{key: "problem"}), "sync")

    assert set(found.values()) == {"no"}


@pytest.mark.parametrize("key", ["settings_disable", "settings_hooks"])
def test_what_is_switched_off_is_only_a_warning_and_leaves_nothing(key: str) -> None:
    assert set(answers(checks(**{key: "warning"})).values()) == {"no"}


@pytest.mark.parametrize(
    ("key", "hurt"),
    [
        ("operations_append", {"process_death": "no", "several_processes": "no"}),
        ("operations_truncate", {"process_death": "no"}),
        ("operations_journal", {"process_death": "no"}),
        ("operations_create", {"several_processes": "no"}),
        ("operations_sync", {"power_loss": "no"}),
        ("locks_backend", {"several_processes": "no"}),
        ("locks_descriptors", {"several_processes": "no"}),
        ("locks_processes", {"several_processes": "no"}),
        ("locks_backends", {"several_processes": "no"}),
        ("locks_look", {"process_death": "partly"}),
        ("locks_killed", {"process_death": "partly"}),
        ("locks_forked", {"process_death": "partly"}),
    ],
)
def test_each_problem_hurts_what_rests_on_it_and_nothing_else(
    key: str, hurt: dict[str, str]
) -> None:
    well = answers(checks(), "sync")

    assert answers(checks(**{key: "problem"}), "sync") == {**well, **hurt}


def test_what_was_not_tried_is_not_known() -> None:
    untried = [key for key in WELL if key.startswith(("operations.", "locks."))]

    found = answers(checks(without=untried), "sync")

    assert found == {
        "process_death": "unknown",
        "power_loss": "unknown",
        "several_processes": "unknown",
        "several_hosts": "no",
    }


def test_without_a_place_nothing_is_known() -> None:
    found = answers([problem("place.directory.hangs", "it hangs", "mend it")])

    assert set(found.values()) == {"unknown"}
    assert set(answers([]).values()) == {"unknown"}


def test_memory_outlives_a_process_and_no_reboot() -> None:
    found = answers(checks(kind="memory", place_file_system="warning"), "sync")

    assert found["process_death"] == "yes"
    assert found["power_loss"] == "no"


def test_on_a_network_each_host_needs_its_own_directory() -> None:
    network = checks(kind="network", place_file_system="warning")

    assert answers(network, "sync")["several_hosts"] == "no"
    assert "Give each host a directory of its own" in text(network, "several_hosts")
    assert "the server keeps its word" in text(network, "power_loss", "sync")
    assert "the disk keeps its word" in text(checks(), "power_loss", "sync")


def test_a_container_takes_its_layer_with_it() -> None:
    layered = checks(kind="layered", place_file_system="warning")

    assert "deleted with the container" in text(layered, "power_loss", "sync")


def test_without_barriers_a_sync_is_worth_nothing() -> None:
    found = [
        check if check.key != "place.file_system" else warning(
            check.key,
            "",
            "",
            kind="local",
            not_guaranteed=["with nobarrier a sync does not wait for the disk's cache"],
        )
        for check in checks()
    ]  # fmt: skip

    assert answers(found, "sync")["power_loss"] == "no"


def test_the_worst_status_is_that_of_the_worst_check() -> None:
    one, two = ok("a.a", ""), note("a.b", "", "")
    three, four = warning("a.c", "", ""), problem("a.d", "", "")

    assert worst_of([]) == "ok"
    assert worst_of([two, one]) == "note"
    assert worst_of([two, three, one]) == "warning"
    assert worst_of([four, three, one]) == "problem"
