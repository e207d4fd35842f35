"""Values and exceptions that nobody would put into a run on purpose, and some do."""

from __future__ import annotations

import sys
import time
from collections import UserDict, UserList
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, Final, NamedTuple
from uuid import UUID

__all__ = ["ERRORS", "SLOW_S", "VALUES"]

SLOW_S: Final = 30.0
"""How long a method of a slow object takes: nobody may wait for it."""


def refuse(*_: object, **__: object) -> Any:
    raise ZeroDivisionError("a method of somebody else's object")


def dawdle(*_: object, **__: object) -> Any:
    time.sleep(SLOW_S)
    return "at last"


def _with(method: Callable[..., Any], *names: str, base: type = object) -> Any:
    return type(f"Odd{base.__name__}", (base,), dict.fromkeys(names, method))


_SPOKEN: Final = ("__repr__", "__str__", "__format__", "__fspath__", "isoformat")
_ASKED: Final = (
    "__eq__",
    "__hash__",
    "__bool__",
    "__len__",
    "__iter__",
    "__contains__",
)


class Nowhere:
    """Answers to no name at all."""

    def __getattribute__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


class Anything:
    """Answers to every name, as a mock does."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *_: object, **__: object) -> Any:
        return self

    def __iter__(self) -> Iterator[Any]:
        while True:
            yield self


class LiesAboutItself:
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise ZeroDivisionError("no class")


class Endless(Mapping[str, int]):
    """A mapping that has no end."""

    def __getitem__(self, key: str) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        number = 0
        while True:
            yield f"k{number}"
            number += 1

    def __len__(self) -> int:
        return sys.maxsize


class EndlessList(list[int]):
    def __iter__(self) -> Iterator[int]:
        while True:
            yield 1


class Colour(Enum):
    RED = 1


class Unnamed(Exception):
    pass


@dataclass
class Settings:
    rate: float = 0.1
    password: str = "hunter2hunter2"
    inner: list[object] = field(default_factory=list)


class Point(NamedTuple):
    x: object
    y: object


def cyclic_dict() -> object:
    value: dict[str, object] = {"a": 1}
    value["self"] = value
    return value


def cyclic_list() -> object:
    value: list[object] = [1]
    value += [value, value, {"again": value}]
    return value


def cyclic_secret() -> object:
    value: list[object] = []
    value += [value] * 50
    return {"password": value, "other": 1}


def deep(kind: type, depth: int = 10_000) -> object:
    value: object = "bottom"
    for _ in range(depth):
        value = [value] if kind is list else {"k": value}
    return value


def dense() -> object:
    """Few objects, but very many ways to them."""
    value: object = "bottom"
    for _ in range(200):
        value = [value, value, {"k": value, "l": value}]
    return value


def tainted(value: object) -> Any:
    return lambda: {"before": 1, "odd": value, "after": [2]}


VALUES: Final[dict[str, Callable[[], object]]] = {
    "cyclic mapping": cyclic_dict,
    "cyclic list": cyclic_list,
    "cyclic secret": cyclic_secret,
    "deep list": lambda: deep(list),
    "deep mapping": lambda: deep(dict),
    "deep secret": lambda: {"password": deep(list)},
    "dense": dense,
    "dense secret": lambda: {"password": dense()},
    "50 MB text": lambda: "x" * 50_000_000,
    "50 MB of names": lambda: "password=abcdefgh " * 2_800_000,
    "50 MB secret": lambda: {"password": "x" * 50_000_000},
    "50 MB bytes": lambda: bytes(50_000_000),
    "50 MB view": lambda: memoryview(bytes(50_000_000)),
    "a million items": lambda: list(range(1_000_000)),
    "a million keys": lambda: {f"key{n}": n for n in range(1_000_000)},
    "a million secrets": lambda: {"password": [f"secret{n}" for n in range(1_000_000)]},
    "a million in a set": lambda: set(range(1_000_000)),
    "long key": lambda: {"k" * 5_000_000: 1},
    "long integer": lambda: 10**20_000,
    "no numbers": lambda: [float("nan"), float("inf"), float("-inf"), complex(1, 2)],
    "lone surrogate": lambda: {"k\udcff": "v\ud800", "\ud83d": ["\udfff"]},
    "control characters": lambda: "\x00\x1b[31m\x85\u2028\x7f\x9b",
    "bytes": lambda: [
        b"\xff\x00",
        bytearray(b"x"),
        memoryview(b"y"),
        memoryview(b"abcd")[::2],
    ],
    "sets": lambda: {"s": {1, "a", (2, 3)}, "f": frozenset({frozenset({1}), None})},
    "numbers": lambda: [Decimal("1.1"), Decimal("sNaN"), Fraction(1, 3), 2**60, True],
    "dates": lambda: [date(2026, 1, 1), timedelta(days=1), UUID(int=1)],
    "paths": lambda: [Path("a/b"), PurePosixPath("c"), Path("nul\0")],
    "odd keys": lambda: {
        1: 1,
        None: 2,
        (1, 2): 3,
        1.5: 4,
        b"k": 5,
        Colour.RED: 6,
        Point(1, 2): 7,
    },
    "classes": lambda: [int, Colour, Settings, lambda: 1, len, SimpleNamespace, type],
    "data classes": lambda: [
        Settings(inner=[Settings()]),
        Point(1, {"password": "hunter2hunter2"}),
    ],
    "users' containers": lambda: [
        UserDict({"a": 1}),
        UserList([1]),
        SimpleNamespace(a=1),
    ],
    "iterators": lambda: [
        iter(range(3)),
        (n for n in range(3)),
        range(10**12),
        zip([1], [2], strict=False),
    ],
    "modules and files": lambda: [sys, sys.stdout, sys.exc_info, Exception("x")],
    "raises when spoken to": tainted(_with(refuse, *_SPOKEN)()),
    "raises when asked": tainted(_with(refuse, *_ASKED)()),
    "raises at every name": tainted(Nowhere()),
    "answers to every name": tainted(Anything()),
    "raises about its class": tainted(LiesAboutItself()),
    "raises as text": tainted(_with(refuse, *_SPOKEN, *_ASKED, base=str)("text")),
    "raises as number": tainted(
        _with(refuse, *_SPOKEN, "__int__", "__abs__", "__float__", base=int)(7)
    ),
    "raises as list": tainted(_with(refuse, *_SPOKEN, *_ASKED, base=list)([1])),
    "raises as mapping": tainted(
        _with(refuse, *_SPOKEN, "items", "keys", *_ASKED, base=dict)(a=1)
    ),
    "raises as key": tainted({_with(refuse, *_SPOKEN)(): 1, "k": 2}),
    "endless mapping": tainted(Endless()),
    "endless list": tainted(EndlessList([1])),
    "slow when spoken to": tainted(_with(dawdle, *_SPOKEN)()),
    "slow when asked": tainted(
        _with(dawdle, "__eq__", "__bool__", "__len__", "__iter__")()
    ),
    "slow in a set": tainted({_with(dawdle, *_SPOKEN)(), 1}),
    "slow as key": tainted({_with(dawdle, *_SPOKEN)(): 1}),
}


def _arrays() -> dict[str, Callable[[], object]]:
    try:
        import numpy as np
        import pandas as pd
    except ImportError:
        return {}
    return {
        "arrays": lambda: [np.arange(10**6), np.float32(1.5), np.int64(3), np.bool_(True), np.array(["x", None], dtype=object), np.datetime64("2026-01-01"), np.array(5), np.nan],
        "frames": lambda: [pd.DataFrame({"a": range(10**5)}), pd.Series([1]), pd.NaT, pd.NA, pd.Timestamp("2026-01-01")],
        "keys of arrays": lambda: {np.int64(1): 1, pd.Timestamp("2026-01-01"): 2},
    }  # fmt: skip


VALUES.update(_arrays())


class Mute(Exception):
    """Cannot be shown at all."""

    __str__ = __repr__ = refuse


class NoCause(Exception):
    """Its causes cannot be asked for."""

    __cause__ = property(refuse)  # type: ignore[assignment]
    __notes__ = property(refuse)  # type: ignore[assignment]


class Plain(Exception):
    pass


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def circle() -> BaseException:
    first, second = Plain("first"), Plain("second")
    first.__cause__, second.__cause__ = second, first
    first.__context__ = second.__context__ = first
    return raised(first)


def chain() -> BaseException:
    error = Plain("0")
    for number in range(1, 2000):
        outer = Plain(str(number))
        outer.__cause__ = error
        error = outer
    return raised(error)


def recursion() -> BaseException:
    def again(number: int) -> int:
        return again(number + 1) + 1

    try:
        again(0)
    except RecursionError as error:
        return error
    raise AssertionError("it ended")


def noted() -> BaseException:
    error = Plain("noted")
    for number in range(10_000):
        error.add_note(f"note {number}")
    error.__notes__.insert(0, 1)  # type: ignore[arg-type]
    return raised(error)


def groups(depth: int = 50) -> BaseException:
    error: Exception = Plain("innermost")
    for number in range(depth):
        error = ExceptionGroup(f"group {number}", [error, Mute(), Plain("x" * 1000)])
    return raised(error)


def odd_code() -> BaseException:
    """From code whose source its loader refuses to give."""

    class Loader:
        get_source = staticmethod(refuse)

    space = {"__name__": "odd", "__loader__": Loader(), "__spec__": Loader()}
    code = compile("def f():\n    raise KeyError('odd')\nf()", "<odd>", "exec")
    try:
        exec(code, space)
    except KeyError as error:
        return error
    raise AssertionError("it did not raise")


ERRORS: Final[dict[str, Callable[[], BaseException]]] = {
    "mute": lambda: raised(Mute()),
    "mute arguments": lambda: raised(Plain(Mute(), Nowhere(), cyclic_list())),
    "without causes": lambda: raised(NoCause("it")),
    "huge message": lambda: raised(Plain("x" * 50_000_000)),
    "many lines": lambda: raised(Plain("line\n" * 1_000_000)),
    "lone surrogates": lambda: raised(Plain("\ud800 \udfff")),
    "control characters": lambda: raised(Plain("\x00\x1b[2J\x9b\u2028[/bold][red]")),
    "circle of causes": circle,
    "long chain of causes": chain,
    "deep recursion": recursion,
    "ten thousand notes": noted,
    "groups in groups": groups,
    "odd code": odd_code,
    "no traceback": lambda: Plain("never raised"),
    "no arguments": lambda: raised(Plain()),
    "system exit": lambda: raised(SystemExit({"a": object()})),
}
