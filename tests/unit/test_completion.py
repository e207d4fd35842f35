"""Static completion, as notebooks use it, finds what is imported on demand."""

from __future__ import annotations

import pytest

import kedro_journal

jedi = pytest.importorskip("jedi")


def completed(code: str) -> set[str]:
    return {one.name for one in jedi.Script(f"import kedro_journal\n{code}").complete()}


def test_every_public_name_is_completed() -> None:
    assert set(kedro_journal.__all__) <= completed("kedro_journal.") | {"__version__"}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("kedro_journal.replay().ver", "verdict"),
        ("kedro_journal.sessions()[0].ver", "verdict"),
        ("for record in kedro_journal.records(): record.cur", "cursor"),
        ("kedro_journal.diff()[0].diff", "differences"),
        ("kedro_journal.resume_plan().to_", "to_run"),
    ],
)
def test_what_a_function_returns_is_completed(code: str, name: str) -> None:
    assert name in completed(code)
