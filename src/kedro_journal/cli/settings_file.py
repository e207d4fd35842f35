"""Set SESSION_CLASS in a project's settings.py, or remove that setting again.

Pure: bytes -> bytes, and no code of the project is run. `set_session_class` only adds
lines. `unset_session_class` only removes lines that `set_session_class` writes.
"""

from __future__ import annotations

import ast
import io
import tokenize
from typing import Final, Literal, NamedTuple

__all__ = ["INSTRUCTIONS", "Edit", "set_session_class", "unset_session_class"]

_MODULE: Final = "kedro_journal.session"
_CLASSES: Final = ("KedroSession", "KedroServiceSession")
_SETTING: Final = "SESSION_CLASS"

INSTRUCTIONS: Final = (
    f"from {_MODULE} import KedroSession",
    f"{_SETTING} = KedroSession",
)
"""What one would write by hand."""


class Edit(NamedTuple):
    """What is to be done to a settings file.

    Attributes:
        outcome: add: `after` has the setting. present: the setting is there already.
            remove: `after` no longer has it. absent: there is nothing to remove.
            refused: a person must decide, see `reason`.
        after: The new content. For `present`, `absent` and `refused` the old one.
        reason: Why it was refused, in words.
        line: Where, from 1; 0 if nowhere in particular.
    """

    outcome: Literal["add", "present", "remove", "absent", "refused"]
    after: bytes
    reason: str = ""
    line: int = 0


def set_session_class(before: bytes) -> Edit:
    """Add the setting to the content of a settings.py, if nothing stands against it."""
    try:
        tree = ast.parse(before)
    except (SyntaxError, ValueError) as error:
        reason = f"it is not Python: {getattr(error, 'msg', error)}"
        return Edit("refused", before, reason, getattr(error, "lineno", 0) or 0)
    found = _bindings(tree, _SETTING)
    ours = _ours(tree)
    for statement in found:
        if not _is_ours(statement, ours):
            reason = f"it sets {_SETTING} to something else"
            return Edit("refused", before, reason, statement.lineno)
    if found:
        return Edit("present", before, line=found[-1].lineno)
    name = "KedroSession"
    if name not in ours and _bindings(tree, name):
        name = "JournalSession"  # KedroSession means something else in this file
    after = _insert(before, tree, name)
    try:
        ast.parse(after)
    except (SyntaxError, ValueError):  # pragma: no cover - no such file is known
        return Edit("refused", before, "the setting cannot be added to it safely")
    return Edit("add", after)


def unset_session_class(before: bytes) -> Edit:
    """Remove the lines that `set_session_class` adds, now or in earlier versions."""
    try:
        tree = ast.parse(before)
    except (SyntaxError, ValueError) as error:
        reason = f"it is not Python: {getattr(error, 'msg', error)}"
        return Edit("refused", before, reason, getattr(error, "lineno", 0) or 0)
    ours = _ours(tree)
    found = [node for node in _bindings(tree, _SETTING) if _is_ours(node, ours)]
    if not found:
        return Edit("absent", before)
    statements = _written_by_init(tree)
    lines = before.splitlines(keepends=True)
    if not statements or len(found) > 1 or _has_odd_line_ends(before):
        reason = f"{_SETTING} is not set in the way that `init` sets it"
        return Edit("refused", before, reason, found[0].lineno)
    for statement in reversed(statements):
        first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
        blank_before = first == 0 or not lines[first - 1].strip()
        if blank_before and last < len(lines) and not lines[last].strip():
            last += 1  # the blank line that separated it from what follows
        elif last == len(lines) and blank_before and b"".join(lines[:first]).strip():
            first -= 1  # the blank line that was added before the block
        del lines[first:last]
    after = b"".join(lines)
    if _imported_names(statements) & _names_used(ast.parse(after)):
        reason = "the imported class is used elsewhere in the file"
        return Edit("refused", before, reason, found[0].lineno)
    return Edit("remove", after)


def _names_used(tree: ast.Module) -> set[str]:
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _imported_names(statements: list[ast.stmt]) -> set[str]:
    return {
        alias.asname or alias.name
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _written_by_init(tree: ast.Module) -> list[ast.stmt]:
    """Return the top-level statements that `init` wrote, in order; empty if none."""
    for number, node in enumerate(tree.body):
        match node:
            case ast.Try(
                body=[ast.ImportFrom(module=module, names=[_])],
                handlers=[_],
                orelse=[ast.Assign(targets=[ast.Name(id=setting)])],
                finalbody=[],
            ) if _is_our_module(module) and setting == _SETTING:
                return [node]
            case ast.ImportFrom(module=module, names=[_]) if _is_our_module(module):
                # The form of 0.1.0: an import, then the setting.
                match tree.body[number + 1 : number + 2]:
                    case [ast.Assign(targets=[ast.Name(id=setting)]) as assign] if (
                        setting == _SETTING
                    ):
                        return [node, assign]
                    case _:
                        pass
            case _:
                pass
    return []


def _bindings(tree: ast.Module, name: str) -> list[ast.stmt]:
    """Find the statements, at any depth, that bind a name."""
    found: list[ast.stmt] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import() | ast.ImportFrom():
                names = [alias.asname or alias.name for alias in node.names]
                if name in names:
                    found.append(node)
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                if node.name == name:
                    found.append(node)
            case ast.stmt() if not hasattr(node, "body"):
                stored = (
                    part.id
                    for part in ast.walk(node)
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
                )
                if name in stored:
                    found.append(node)
            case _:
                pass
    return sorted(found, key=lambda node: node.lineno)


def _ours(tree: ast.Module) -> set[str]:
    """Find the names and dotted names under which our classes are known in a file."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and _is_our_module(node.module):
            names |= {
                alias.asname or alias.name
                for alias in node.names
                if alias.name in _CLASSES
            }
        elif isinstance(node, ast.ImportFrom) and node.module == "kedro_journal":
            modules = [a.asname or a.name for a in node.names if a.name == "session"]
            names |= {f"{module}.{cls}" for module in modules for cls in _CLASSES}
        elif isinstance(node, ast.Import):
            modules = [a.asname or a.name for a in node.names if _is_our_module(a.name)]
            names |= {f"{module}.{cls}" for module in modules for cls in _CLASSES}
    return names


def _is_our_module(name: str | None) -> bool:
    return name is not None and (name == _MODULE or name.startswith(_MODULE + "."))


def _is_ours(statement: ast.stmt, ours: set[str]) -> bool:
    match statement:
        case (
            ast.Assign(targets=[ast.Name()], value=ast.expr() as value)
            | ast.AnnAssign(value=ast.expr() as value)
        ):
            return ast.unparse(value) in ours
        case ast.ImportFrom():
            return _is_our_module(statement.module) and any(
                alias.asname == _SETTING and alias.name in _CLASSES
                for alias in statement.names
            )
        case _:
            return False


def _insert(before: bytes, tree: ast.Module, name: str) -> bytes:
    ending = b"\r\n" if before.count(b"\r\n") * 2 > before.count(b"\n") else b"\n"
    as_name = "" if name == "KedroSession" else f" as {name}"
    # Guarded: a colleague without the package, or an uninstalled package, must not
    # break the project.
    added = [
        b"try:",
        f"    from {_MODULE} import KedroSession{as_name}".encode(),
        b"except ImportError:",
        b"    pass  # kedro-journal is not installed: Kedro's own session is used",
        b"else:",
        f"    {_SETTING} = {name}".encode(),
    ]
    lines = before.splitlines(keepends=True)
    place = _commented_setting(before, tree)
    if place and place < len(lines):
        # Where Kedro's template has the setting as a comment.
        head, rest = b"".join(lines[:place]), b"".join(lines[place:])
        return head + ending.join(added) + ending + rest
    gap = [] if not before or before.endswith((b"\n", b"\r")) else [b""]
    gap += [b""] if before.strip() else []
    return before + ending.join([*gap, *added]) + ending


def _commented_setting(before: bytes, tree: ast.Module) -> int:
    """Find the line of a comment `# SESSION_CLASS = ...` between two statements.

    Returns:
        Its number, from 1; 0 if there is none.
    """
    if _has_odd_line_ends(before):
        return 0
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(before).readline))
    except (tokenize.TokenError, SyntaxError):
        return 0
    for token in tokens:
        text = token.string.lstrip("# ")
        if (
            token.type != tokenize.COMMENT
            or token.start[1]
            or not text.startswith((f"{_SETTING} =", f"{_SETTING}="))
        ):
            continue
        number = token.start[0]
        inside = any(
            node.lineno <= number <= (node.end_lineno or node.lineno)
            for node in tree.body
        )
        if not inside:
            return number
    return 0


def _has_odd_line_ends(before: bytes) -> bool:
    """Return True if Python counts the lines otherwise than `bytes.splitlines`."""
    return b"\f" in before or before.count(b"\r") != before.count(b"\r\n")
