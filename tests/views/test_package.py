"""The package gives what it lists, and no more is imported than is used."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from kedro_journal import views


@pytest.mark.parametrize("name", views.__all__)
def test_every_listed_name_is_there(name):
    assert getattr(views, name) is not None


def test_every_listed_name_has_a_module_that_lists_it_too():
    module_of = {name: home for home in views._MODULES for name in views._MODULES[home]}
    assert set(module_of) == set(views.__all__)
    for name, module in module_of.items():
        assert name in importlib.import_module(f"kedro_journal.views.{module}").__all__


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        views.nothing  # noqa: B018 - looking it up is the test


def test_importing_the_package_imports_no_view():
    code = (
        "import sys, kedro_journal.views\n"
        "print([m for m in sys.modules if m.startswith('kedro_journal.views.')])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert done.stdout.strip() == b"[]"
