"""Every error class: raised somewhere, picklable, with its facts as attributes."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from kedro_journal import errors
from kedro_journal.errors import JournalError

CLASSES = [
    cls for name in errors.__all__ if (cls := getattr(errors, name)) is not JournalError
]
PATH = Path("/j/s/journal.jsonl")
EXAMPLES: dict[str, JournalError] = {
    "AmbiguousSessionId": errors.AmbiguousSessionId("2026", ["2026a", "2026b"]),
    "ConfigError": errors.ConfigError("pyproject.toml", "no"),
    "CorruptJournal": errors.CorruptJournal(PATH, "splice", "it is", 12, 3, 1),
    "GroupNotFound": errors.GroupNotFound("g", PATH.parent, ["g1", "g2"]),
    "IllegalTransition": errors.IllegalTransition("node.failed", "node a", "pending"),
    "InvalidSessionId": errors.InvalidSessionId("../x"),
    "JournalBusy": errors.JournalBusy(PATH, 2.5),
    "JournalClosed": errors.JournalClosed(PATH, 9),
    "JournalNotFound": errors.JournalNotFound("x", PATH.parent),
    "JournalUnwritable": errors.JournalUnwritable(PATH, 28, "No space left on device"),
    "NewerJournal": errors.NewerJournal(PATH, 2),
    "NodeNotFound": errors.NodeNotFound("trian", "s", ["train"]),
    "NothingLeft": errors.NothingLeft("s", None),
    "NotRecorded": errors.NotRecorded("s", ("a.b",), "is a secret", "Give it."),
    "NotResumable": errors.NotResumable("s", "it is alive", "Wait for it."),
    "NothingToTrace": errors.NothingToTrace("params:lr", "s", ["params:model.lr"]),
    "RecordTooLarge": errors.RecordTooLarge("note.added", 10, 5),
    "UnsafeJournal": errors.UnsafeJournal(PATH, "a symbolic link"),
}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_an_error_crosses_processes_whole(cls: type[JournalError]) -> None:
    error = EXAMPLES[cls.__name__]
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert (str(again), vars(again)) == (str(error), vars(error))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_an_error_has_the_facts_that_it_promises(cls: type[JournalError]) -> None:
    error = EXAMPLES[cls.__name__]
    for name in cls.__annotations__:
        if name != "exit_code":
            assert hasattr(error, name), name
    assert 1 <= error.exit_code < 64
    assert str(error).endswith(".") or error.exit_code == 1


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_is_raised_by_some_test(cls: type[JournalError]) -> None:
    """Closed world: an error that no test provokes is none that we know to work."""
    found = [
        path.name
        for path in Path(__file__).parents[1].rglob("test_*.py")
        if path != Path(__file__)
        and re.search(rf"raises\(\s*{cls.__name__}\b", path.read_text())
    ]
    if cls is errors.RecordTooLarge:  # provoked by the contract of every journal
        from kedro_journal.testing import contract

        assert "is RecordTooLarge" in Path(contract.__file__).read_text()
    else:
        assert found != []


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_is_documented_with_its_attributes(cls: type[JournalError]) -> None:
    for name in cls.__annotations__:
        assert name == "exit_code" or f"{name}:" in (cls.__doc__ or "")
