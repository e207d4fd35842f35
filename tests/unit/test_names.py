"""The package gives the names that it lists, and imports nothing before it is asked."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import FunctionType, ModuleType

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
    assert set(kedro_journal.__all__) == kedro_journal._HOME_OF.keys() | own
    for name, home in kedro_journal._HOME_OF.items():
        assert name in importlib.import_module(f"kedro_journal.{home}").__all__


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        kedro_journal.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_imports_nothing() -> None:
    code = (
        "before = set(sys.modules)\n"
        f"import kedro_journal\nprint({OURS})\n"
        "print('msgspec' in sys.modules, 'typing' in sys.modules.keys() - before)"
    )
    assert "['kedro_journal._version']\nFalse False\n" == answer(code)


def test_listing_the_names_imports_nothing() -> None:
    code = f"import kedro_journal\ndir(kedro_journal)\nprint({OURS})"
    assert "['kedro_journal._version']\n" == answer(code)


@pytest.mark.parametrize("name", kedro_journal._MODULES)
def test_the_larger_modules_need_no_import_of_their_own(name: str) -> None:
    code = f"import kedro_journal\nprint(kedro_journal.{name}.__name__)"
    assert f"kedro_journal.{name}\n" == answer(code)


def test_a_star_import_gives_every_listed_name() -> None:
    code = (
        "from kedro_journal import *\nimport kedro_journal\n"
        "print(sorted(set(kedro_journal.__all__) - globals().keys()))"
    )
    assert "[]\n" == answer(code)


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import kedro_journal.events, kedro_journal.replay",
        "import kedro_journal; kedro_journal.replay; import kedro_journal.replay",
        "from kedro_journal.replay import locate; from kedro_journal.events import Record",
        "import kedro_journal.recording.notes",
        "import kedro_journal as k; k.events; from importlib import reload; reload(k)",
    ],
)
def test_the_functions_stand_in_the_place_of_the_subpackages(before: str) -> None:
    code = (
        f"{before}\nimport kedro_journal\nfrom kedro_journal import events, replay\n"
        "assert replay is kedro_journal.replay and events is kedro_journal.events\n"
        "print(type(replay).__name__, type(events).__name__)"
    )
    assert "function function\n" == answer(code)


def test_the_subpackages_of_the_same_names_are_imported_as_ever() -> None:
    for name in ("events", "replay"):
        assert isinstance(getattr(kedro_journal, name), FunctionType)
        module = importlib.import_module(f"kedro_journal.{name}")
        assert isinstance(module, ModuleType)
        assert name in sys.modules[f"kedro_journal.{name}"].__name__


def test_a_name_can_be_replaced_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    known = kedro_journal.replay
    with monkeypatch.context() as patch:
        patch.setattr(kedro_journal, "replay", len)
        assert kedro_journal.replay is len
    assert kedro_journal.replay is known


@pytest.mark.parametrize(
    "first", ["kedro_journal", "kedro_journal.state", "kedro_journal.replay"]
)
def test_a_state_shows_itself_however_it_was_imported(first: str) -> None:
    code = (
        f"import {first}\nfrom kedro_journal.state import SessionState\n"
        "print(SessionState()._repr_html_()[:4])"
    )
    assert "<div\n" == answer(code)
