"""A private key that comes line by line is masked as a whole, and nothing else is."""

from __future__ import annotations

import json
import linecache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_journal.capture.fields import REMOTE_MAX_CHARS, error_info
from kedro_journal.redaction import Redactor
from kedro_journal.redaction.blocks import Blocks, masked_lines, masked_text

BODY = ["MIIEvQCANARYone", "CANARYtwo", "CANARYthree"]
WIDE = [f"CANARY{n}aB3" + "xY9z" * 13 + "q" * 3 for n in range(4)]
KINDS = [
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
]
DRESSES = {
    "bare": "{}",
    "indented": "    {}",
    "snippet": "> 12 | {}",
    "added": "+    {}",
    "removed": "-{}",
    "quoted": '    "{}\\n"',
    "quoted, with a sign": "    '{}\\n' +",
    "listed": '  - "{}"',
    "an item": "['{}',",
    "bytes": "b'{}\\n'",
    "a comment": "# {}",
}


def key(kind: str = "PRIVATE KEY", body: list[str] = BODY) -> list[str]:
    return [f"-----BEGIN {kind}-----", *body, f"-----END {kind}-----"]


def check(lines: list[str]) -> None:
    assert "CANARY" not in "\n".join(lines)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dress", DRESSES)
def test_every_line_of_a_key_is_masked(kind: str, dress: str) -> None:
    lines = ["before = 1", *map(DRESSES[dress].format, key(kind)), "after = 2"]
    safe = masked_lines(lines)
    check(safe)
    assert (safe[0], safe[-1], len(safe)) == ("before = 1", "after = 2", len(lines))


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize(("first", "last"), [(0, 4), (1, 5), (2, 5), (0, 2)])
def test_an_excerpt_may_begin_or_end_within_a_key(
    dress: str, first: int, last: int
) -> None:
    check(masked_lines([DRESSES[dress].format(line) for line in key()[first:last]]))


def test_the_middle_of_a_key_is_known_by_its_full_lines() -> None:
    check(masked_lines(["x = 1", *WIDE, "CANARYrest=="]))


def test_headers_and_empty_lines_belong_to_a_key() -> None:
    body = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,CANARY", "", *BODY]
    check(masked_lines(key("RSA PRIVATE KEY", body)))


def test_hashes_and_words_are_no_keys() -> None:
    lines = [*(f"{n:064x}" for n in range(3)), "words", "more", "-----END-----"]
    assert masked_lines(lines) == lines


@given(st.lists(st.text(max_size=80), max_size=20))
def test_lines_without_a_key_stay(lines: list[str]) -> None:
    assert masked_lines([line[:50] for line in lines]) == [line[:50] for line in lines]


@given(
    st.lists(st.text(alphabet="abc =(){}'\"", max_size=20), max_size=4),
    st.lists(st.from_regex(r"\ACANARY[A-Za-z0-9+/]{1,58}\Z"), min_size=1, max_size=30),
)
def test_whatever_stands_around_it_a_key_is_masked(
    around: list[str], body: list[str]
) -> None:
    check(masked_lines([*around, *key(body=body), *around]))
    check([masked_text("\n".join([*around, *key(body=body)[1:]]))])


def test_streams_are_told_apart_and_end() -> None:
    blocks = Blocks()
    ours = [blocks.feed(1, line) for line in key()[:2]]
    assert "other" == blocks.feed(2, "other")
    check([*ours, *(blocks.feed(1, line) for line in key()[2:])])
    assert "after" == blocks.feed(1, "after")


def test_a_stream_whose_end_is_lost_goes_on() -> None:
    blocks = Blocks()
    blocks.feed(1, key()[0])
    texts = [f"an ordinary message {n}" for n in range(4)]
    assert texts == [blocks.feed(1, text) for text in texts]


def test_at_most_so_many_streams_are_remembered() -> None:
    blocks = Blocks()
    for number in range(200):
        blocks.feed(number, key()[0])
    assert len(blocks._open) <= 64


@pytest.mark.parametrize(
    "value",
    [
        key(),
        {"lines": key()},
        {str(number): line for number, line in enumerate(key())},
        tuple(key()[1:]),
        "\n".join(key()[2:]),
        "\n".join(["x", *key("PGP PRIVATE KEY BLOCK")]),
    ],
)
def test_values_with_a_key_in_their_items_are_masked(value: Any) -> None:
    check([json.dumps(Redactor().plain({"x": value}))])


def test_a_traceback_shows_no_line_of_a_key_beside_it() -> None:
    source = ["KEY = '''", *key(), "'''", "def broken():", "    raise RuntimeError(1)"]
    name = "/project/src/nodes.py"
    linecache.cache[name] = (1, None, [f"{line}\n" for line in source], name)
    scope: dict[str, Any] = {}
    exec(compile("\n".join(source), name, "exec"), scope)
    from pathlib import Path

    try:
        scope["broken"]()
    except RuntimeError as error:
        info = error_info(error, Path("/project"))
    finally:
        del linecache.cache[name]
    assert any("raise RuntimeError" in line for line in info.snippet)
    check([*info.snippet, *(frame.source for frame in info.frames)])


def test_a_traceback_of_a_worker_that_is_cut_within_a_key_is_masked() -> None:
    class _RemoteTraceback(Exception):
        pass

    tail = "x" * (REMOTE_MAX_CHARS - 40)
    error = RuntimeError("x")
    error.__cause__ = _RemoteTraceback("\n".join([*key(), tail]))
    check([error_info(error, None).remote])
