"""The package gives the names that it lists, and imports nothing before it is asked."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import kedro_journal

OURS = "[m for m in sys.modules if m.startswith('kedro_journal.')]"


def answer(code: str) -> str:
    """Give what a fresh interpreter prints."""
    command = [sys.executable, "-c", f"import sys\n{code}"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


@pytest.mark.parametrize("name", kedro_journal.__all__)
def test_every_listed_name_is_there(name: str) -> None:
    assert getattr(kedro_journal, name) is not None
    assert name in dir(kedro_journal)


def test_every_listed_name_has_a_home_that_lists_it_too() -> None:
    own = {"__version__", "errors"}
    homes = {home: names for home, names in kedro_journal._NAMES.items() if home}
    assert set(kedro_journal.__all__) == own.union(*homes.values())
    for home, names in homes.items():
        assert {*names} <= {*importlib.import_module(f"kedro_journal.{home}").__all__}


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        kedro_journal.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_imports_nothing() -> None:
    code = (
        "before = set(sys.modules)\n"
        f"import kedro_journal\nprint({OURS})\n"
        "print('msgspec' in sys.modules, 'typing' in sys.modules.keys() - before)"
    )
    assert "['kedro_journal._lazy', 'kedro_journal._version']\nFalse False\n" == answer(
        code
    )


def test_listing_the_names_imports_nothing() -> None:
    code = f"import kedro_journal\ndir(kedro_journal)\nprint({OURS})"
    assert "['kedro_journal._lazy', 'kedro_journal._version']\n" == answer(code)


@pytest.mark.parametrize("name", kedro_journal._NAMES[""])
def test_the_larger_modules_need_no_import_of_their_own(name: str) -> None:
    code = f"import kedro_journal\nprint(kedro_journal.{name}.__name__)"
    assert f"kedro_journal.{name}\n" == answer(code)


def test_a_star_import_gives_every_listed_name() -> None:
    code = (
        "from kedro_journal import *\nimport kedro_journal\n"
        "print(sorted(set(kedro_journal.__all__) - globals().keys()))"
    )
    # Kedro, which two of the names need, may say how it set up logging.
    assert answer(code).endswith("[]\n")


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import kedro_journal.events, kedro_journal.replaying",
        "import kedro_journal; kedro_journal.replay; import kedro_journal.replaying",
        "import kedro_journal.recording.notes",
        "import kedro_journal as k; k.replay; from importlib import reload; reload(k)",
    ],
)
def test_a_function_is_found_whatever_was_imported_before(before: str) -> None:
    code = (
        f"{before}\nimport kedro_journal\nfrom kedro_journal import records, replay\n"
        "assert replay is kedro_journal.replay and records is kedro_journal.records\n"
        "print(type(replay).__name__, type(records).__name__)\n"
        "print(type(kedro_journal).__name__, kedro_journal.events.__name__)"
    )
    assert "function function\nmodule kedro_journal.events\n" == answer(code)


def test_a_name_can_be_replaced_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    known = kedro_journal.replay
    with monkeypatch.context() as patch:
        patch.setattr(kedro_journal, "replay", len)
        assert kedro_journal.replay is len
    assert kedro_journal.replay is known


@pytest.mark.parametrize(
    "first", ["kedro_journal", "kedro_journal.state", "kedro_journal.replaying"]
)
def test_a_state_shows_itself_however_it_was_imported(first: str) -> None:
    code = (
        f"import {first}\nfrom kedro_journal.state import SessionState\n"
        "print(SessionState()._repr_html_()[:4])"
    )
    assert "<div\n" == answer(code)
