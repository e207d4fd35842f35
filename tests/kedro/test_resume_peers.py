"""What the docs say of other ways to go on is what a script finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from resume_peers import WAYS, compare, table

pytestmark = [pytest.mark.kedro, pytest.mark.long]
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "resume.md"


def test_ours_is_never_wrong_and_the_table_in_the_docs_is_true(tmp_path: Path) -> None:
    found = compare(tmp_path)

    of = {name: [row[1][n] for row in found] for n, name in enumerate(WAYS)}
    ours = of.pop("`kedro-journal resume`")
    assert not any(outcome.wrong or outcome.failure for outcome in ours)
    for others in of.values():
        assert any(outcome.wrong for outcome in others)
        for mine, theirs in zip(ours, others, strict=True):
            right = not theirs.wrong and not theirs.failure
            assert not right or mine.ran <= theirs.ran
    assert table(found) in PAGE.read_text(encoding="utf-8")
