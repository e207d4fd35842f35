"""No handler of ours in a run's process swallows an exception that is the user's."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kedro_journal

ROOT = Path(kedro_journal.__file__).parent
IN_A_RUN = (
    *("journal", "redaction", "replaying"),
    *("capture", "recording", "hooks", "session"),
)
BROAD = {
    "BaseException",
    "Exception",
    "OSError",
    "OverflowError",
    "RecursionError",
    "RuntimeError",
    "TypeError",
    "ValueError",
}
"""What users derive their exceptions from. Others are narrow: `KeyError`, ours."""
ENDS_THE_PROCESS = {("recording/signals.py", "tell")}
"""The process dies of SIGTERM right after it, whatever was raised there."""


def modules() -> list[Path]:
    return [path for folder in IN_A_RUN for path in (ROOT / folder).rglob("*.py")]


def caught(kind: ast.expr | None) -> set[str]:
    """Name the classes of an `except`; of an unknown expression, `Exception`."""
    if kind is None:
        return {"BaseException"}
    if isinstance(kind, ast.Tuple):
        return set().union(*map(caught, kind.elts))
    if isinstance(kind, ast.Attribute):
        return {kind.attr}
    return {kind.id if isinstance(kind, ast.Name) else "Exception"}


def asks(handler: ast.ExceptHandler) -> bool:
    names = {n.id for n in ast.walk(handler) if isinstance(n, ast.Name)}
    return bool(names & {"let_through", "is_from_outside", "_interrupts"})


def swallows(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return not (isinstance(last, ast.Raise) and last.exc is None)


def offends(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        return bool(caught(node.type) & BROAD) and swallows(node) and not asks(node)
    return (
        isinstance(node, ast.Attribute) and ast.unparse(node) == "contextlib.suppress"
    )


def offenders(source: str, path: str = "") -> list[str]:
    return [
        f"{path}:{getattr(node, 'lineno', 0)}"
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and (path, function.name) not in ENDS_THE_PROCESS
        for node in ast.walk(function)
        if offends(node)
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_handler_asks_whose_the_exception_is(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert offenders(source, path.relative_to(ROOT).as_posix()) == []


@pytest.mark.parametrize(
    "body",
    [
        "try: f()\n except OSError: pass",
        "try: f()\n except (KeyError, ValueError) as e: log(e)",
        "try: f()\n except: pass",
        "try: f()\n except Exception as e: raise Ours() from e",
        "with contextlib.suppress(OSError): f()",
    ],
)
def test_one_that_does_not_ask_is_found(body: str) -> None:
    assert offenders(f"def a():\n {body}")


@pytest.mark.parametrize(
    "body",
    [
        "try: f()\n except OSError as e:\n  let_through(e)",
        "try: f()\n except BaseException:\n  undo()\n  raise",
        "try: f()\n except KeyError: pass",
        "with suppress(OSError): f()",
    ],
)
def test_one_that_asks_is_not(body: str) -> None:
    assert offenders(f"def a():\n {body}") == []
