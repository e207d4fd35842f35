"""What follows from the checks: what survives what, here. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from .model import Check, Guarantee, Holds

__all__ = ["guarantees"]

_KEYS: Final = ("process_death", "power_loss", "several_processes", "several_hosts")
_BLOCKING: Final = (
    "place.directory",
    "place.safe",
    "place.writable",
    "operations.write",
    "operations.modes",
)
_APPENDING: Final = ("operations.append", "operations.truncate", "operations.journal")
_LIVENESS: Final = ("locks.look", "locks.killed", "locks.forked")
_TURNS: Final = (
    "operations.create",
    "operations.append",
    "locks.backend",
    "locks.descriptors",
    "locks.processes",
    "locks.backends",
)
_AT_POWER_LOSS: Final = {
    "flush": "How sessions and runs began and ended, and which nodes failed, survives "
    "a power loss; what nodes and datasets did after the last such record may be lost, "
    "from the end backwards",
    "group": "All but about the last 50 ms survives a power loss, and how sessions "
    "and runs began and ended always survives",
    "sync": "Every acknowledged record survives a power loss; each takes a sync of "
    "about {cost_ms} ms",
}
_UNTOLD: Final = "This could not be tested here, so nothing is claimed."


def guarantees(checks: Iterable[Check], durability: str) -> tuple[Guarantee, ...]:
    """Return what is guaranteed at a durability level, by what was found."""
    found = {check.key: check for check in checks}
    if "place.file_system" not in found:
        return _all("unknown", "No folder was probed, so nothing can be claimed.")
    why = _not_journaled(found)
    if why:
        return _all("no", why)
    return (
        _process_death(found),
        _power_loss(found, durability),
        _several_processes(found),
        _several_hosts(found),
    )


def _all(holds: Holds, text: str) -> tuple[Guarantee, ...]:
    return tuple(Guarantee(key=key, holds=holds, text=text) for key in _KEYS)


def _not_journaled(found: Mapping[str, Check]) -> str:
    for key in _BLOCKING:
        if key in found and found[key].status == "problem":
            return "Journals cannot be written here, so no record of a run is kept."
    for key in ("settings.disable", "settings.hooks"):
        if key in found and found[key].status != "ok":
            return "Journaling is disabled, so no record of a run is kept."
    return ""


def _verdict(found: Mapping[str, Check], keys: Iterable[str]) -> Holds:
    """Return whether all of these checks went well; a hang leaves the rest untried."""
    there = [found[key] for key in keys if key in found]
    if any(check.status == "problem" for check in there):
        return "no"
    return "yes" if len(there) == len(tuple(keys)) else "unknown"


def _process_death(found: Mapping[str, Check]) -> Guarantee:
    key = "process_death"
    appends, seen = _verdict(found, _APPENDING), _verdict(found, _LIVENESS)
    if appends == "no":
        text = "Records can be lost or mixed up here even if no process dies."
        return Guarantee(key=key, holds="no", text=text)
    if appends == "unknown":
        return Guarantee(key=key, holds="unknown", text=_UNTOLD)
    text = "Every acknowledged record survives any death of the process, kill -9 too"
    if seen == "yes":
        after = "and readers see at once that the session crashed."
        return Guarantee(key=key, holds="yes", text=f"{text}, {after}")
    after = "but running and crashed sessions cannot be told apart reliably."
    return Guarantee(key=key, holds="partly", text=f"{text}, {after}")


def _power_loss(found: Mapping[str, Check], durability: str) -> Guarantee:
    key = "power_loss"
    place, sync = found["place.file_system"], found.get("operations.sync")
    kind = place.facts["kind"]
    if kind == "memory":
        text = "A power loss or a reboot deletes everything: the folder is in memory."
        return Guarantee(key=key, holds="no", text=text)
    if sync is None:
        return Guarantee(key=key, holds="unknown", text=_UNTOLD)
    if sync.status in ("warning", "problem"):
        text = (
            "Nothing is guaranteed to survive a power loss: records cannot be "
            "synced here."
        )
        return Guarantee(key=key, holds="no", text=text)
    word = "the server keeps" if kind == "network" else "the disk keeps"
    cost_ms = f"{sync.facts['fdatasync_ms']:.2g}"
    said: dict[str, Holds] = {"flush": "partly", "group": "partly", "sync": "yes"}
    holds = said[durability]
    text = _AT_POWER_LOSS[durability].format(cost_ms=cost_ms)
    text = f"{text}. That is so if {word} its word on a sync."
    barriers = [one for one in place.facts["not_guaranteed"] if "wait for" in one]
    if barriers:
        holds, text = (
            "no",
            f"Nothing is guaranteed to survive a power loss: {barriers[0]}.",
        )
    elif kind == "layered":
        text += " It is deleted with the container."
    return Guarantee(key=key, holds=holds, text=text)


def _several_processes(found: Mapping[str, Check]) -> Guarantee:
    texts: dict[Holds, str] = {
        "yes": "Processes and threads of this machine take turns: runners with worker "
        "processes, and runs side by side, are safe.",
        "no": "Appends of several processes can conflict here: do not use "
        "ParallelRunner, "
        "and run one session at a time.",
        "unknown": _UNTOLD,
    }
    holds = _verdict(found, _TURNS)
    return Guarantee(key="several_processes", holds=holds, text=texts[holds])


def _several_hosts(found: Mapping[str, Check]) -> Guarantee:
    key, place = "several_hosts", found["place.file_system"]
    kind = place.facts["kind"]
    promise = "A session's journal is written by processes of one machine"
    if kind == "network":
        said = "; ".join(place.facts["not_guaranteed"])
        text = f"{promise}. Give each host a directory of its own here: {said}."
        return Guarantee(key=key, holds="no", text=text)
    if kind in ("unknown", "userspace"):
        text = f"{promise}. Whether other hosts can reach this folder is not known."
        return Guarantee(key=key, holds="unknown", text=text)
    text = f"{promise}; this file system is local to it."
    return Guarantee(key=key, holds="no", text=text)
