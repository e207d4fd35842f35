"""Measure redaction on the corpus: recall and precision of each group.

`python -m tests.redaction.measure` prints a table, and with `--misses` what is judged
wrong. A file of the corpus is JSON with `names`, `texts` or both:

- A name has `name`, `secret`, and mostly no `value`. Without one, a secret name is
  given an invented value that looks generated, and a harmless one a word and a number.
- A text has `text`, `secrets` (substrings that must not survive), and `keeps`
  (substrings that must).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from kedro_journal.redaction import REDACTED, Redactor

__all__ = ["CORPUS", "Score", "measure"]

CORPUS = Path(__file__).parent / "corpus"
INVENTED = "Zq7Wv9Xk3Lm5Np2R"


class Score(NamedTuple):
    """How one group of the corpus is judged.

    Attributes:
        secrets: How many secrets there are.
        found: How many of them are masked.
        harmless: How many names and texts, or parts of texts, must stay.
        masked: How many of them do not stay.
        misses: What is judged wrong, for a human.
    """

    secrets: int
    found: int
    harmless: int
    masked: int
    misses: tuple[str, ...]

    @property
    def recall(self) -> float:
        """The share of the secrets that is masked."""
        return self.found / self.secrets if self.secrets else 1.0

    @property
    def false_alarms(self) -> float:
        """The share of what must stay that is masked."""
        return self.masked / self.harmless if self.harmless else 0.0

    @property
    def precision(self) -> float:
        """The share of what is masked that is secret."""
        every = self.found + self.masked
        return self.found / every if every else 1.0


def name_is_masked(name: str, value: object) -> bool:
    """Return whether a value under a name does not reach the journal."""
    return bool(Redactor().plain({name: value}) != {name: value})


def measure_names(rows: list[dict[str, Any]]) -> Score:
    """Judge names, with their values where they have one."""
    found = masked = secrets = harmless = 0
    misses: list[str] = []
    for row in rows:
        name = row["name"]
        given = "value" in row
        if row["secret"]:
            secrets += 1
            if name_is_masked(name, row["value"] if given else INVENTED):
                found += 1
            else:
                misses.append(f"missed: {name} {row.get('value', '')}")
            continue
        harmless += 1
        values = [row["value"]] if given else ["word", 5]
        if any(name_is_masked(name, value) for value in values):
            masked += 1
            misses.append(f"false alarm: {name} {row.get('value', '')}")
    return Score(secrets, found, harmless, masked, tuple(misses))


def measure_texts(rows: list[dict[str, Any]]) -> Score:
    """Judge texts."""
    found = masked = secrets = harmless = 0
    misses: list[str] = []
    for row in rows:
        text = Redactor().text(row["text"])
        for secret in row.get("secrets", ()):
            secrets += 1
            found += secret not in text
            if secret in text:
                misses.append(f"missed: {row['text']!r} -> {text!r}")
        for part in row.get("keeps", ()):
            harmless += 1
            masked += part not in text
            if part not in text:
                misses.append(f"false alarm: {row['text']!r} -> {text!r}")
    return Score(secrets, found, harmless, masked, tuple(misses))


def measure(folder: Path = CORPUS) -> dict[str, Score]:
    """Judge every file of the corpus; a group is a file and what it holds."""
    scores: dict[str, Score] = {}
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if "names" in content:
            scores[f"{path.stem}: names"] = measure_names(content["names"])
        if "texts" in content:
            scores[f"{path.stem}: texts"] = measure_texts(content["texts"])
    return scores


def main() -> None:
    """Print the table."""
    head = ("group", "secrets", "recall", "harmless", "false alarms", "precision")
    print("{:24} {:>8} {:>8} {:>9} {:>13} {:>10}".format(*head))
    for group, score in measure().items():
        print(
            f"{group:24} {score.secrets:8} {score.recall:8.1%} {score.harmless:9} "
            f"{score.false_alarms:13.1%} {score.precision:10.1%}"
        )
        if "--misses" in sys.argv:
            print("".join(f"    {miss}\n" for miss in score.misses), end="")
    print(f"(masked: {REDACTED})")


if __name__ == "__main__":
    main()
