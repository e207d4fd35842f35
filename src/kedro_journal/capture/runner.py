"""The runner of a run: what is recorded of it, and how a later run gets an equal one.

Kedro's hooks receive the `str()` of a runner only. The object itself is a local
variable of the `run` that calls the hooks; `compat` finds it there. The arguments of
its constructor are known exactly if `kedro run` made it. Of a runner that code made,
those arguments are known that it kept in an attribute of the same name.
"""

from __future__ import annotations

import datetime
import decimal
import functools
import inspect
import pathlib
import sys
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kedro_journal._instant import EPOCH
from kedro_journal._outside import let_through
from kedro_journal.errors import NotResumable
from kedro_journal.redaction.decoding import Inexact, problems

from . import compat

if TYPE_CHECKING:
    from kedro_journal.state import RunState

__all__ = ["RunnerFacts", "current_runner", "runner_facts", "runner_maker"]

_DEFAULT: Final = "SequentialRunner"
_ARGUMENTS_MAX: Final = 100
_DEPTH_MAX: Final = 8
_ITEMS_MAX: Final = 1000
_SCALARS: Final = (
    *(bool, int, float, str, bytes, bytearray, decimal.Decimal, uuid.UUID),
    *(datetime.date, datetime.time, datetime.timedelta, type(EPOCH)),
)
_CONTAINERS: Final = (list, dict, tuple, set, frozenset)
_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_ADVICE: Final = "Pass a runner with --runner, its arguments with --runner-params."


class RunnerFacts(NamedTuple):
    """What is recorded of a runner.

    Attributes:
        name: The path of its class; classes of Kedro without their module.
        is_async: Datasets are loaded and saved in threads.
        arguments: The arguments of its constructor that are known, without `is_async`.
        unknown: The names of those that are not known.
    """

    name: str
    is_async: bool = False
    arguments: Mapping[str, Any] = {}
    unknown: tuple[str, ...] = ()


def current_runner(run_params: Mapping[str, Any]) -> RunnerFacts:
    """Describe the runner of the run that calls this hook.

    Args:
        run_params: What the hook received of the run.
    """
    runner = compat.runner_in_use()
    made_by = compat.run_command() if compat.session_runs_here() <= 1 else None
    if runner is not None:
        return runner_facts(runner, made_by)
    flags = made_by or {}
    is_async = bool(flags.get("is_async") or _given(flags).get("is_async"))
    return RunnerFacts(compat.runner_name(dict(run_params)), is_async)


def runner_facts(
    runner: object, made_by: Mapping[str, Any] | None = None
) -> RunnerFacts:
    """Describe a runner; None is Kedro's default.

    Args:
        runner: The runner.
        made_by: The flags of the `kedro run` that made it; None if code made it.
    """
    if runner is None:
        return RunnerFacts(_DEFAULT)
    cls = type(runner)
    name = class_path(cls)
    own = vars(runner)
    is_async = bool(own.get("_is_async", False))
    if made_by is not None:
        arguments = {k: v for k, v in _given(made_by).items() if k != "is_async"}
        if not _is_importable(cls) and made_by.get("runner"):
            name = str(made_by["runner"])  # a function that returns a runner
        return RunnerFacts(name, is_async, arguments)
    known: dict[str, Any] = {}
    unknown: list[str] = []
    for parameter in [*_parameters(cls)][:_ARGUMENTS_MAX]:
        if parameter == "is_async":
            continue
        places = (parameter, f"_{parameter}", f"_{cls.__name__}__{parameter}")
        place = next((place for place in places if place in own), None)
        if place is not None and _is_data(own[place]):
            known[parameter] = own[place]
        else:
            unknown.append(parameter)
    return RunnerFacts(name, is_async, known, tuple(unknown))


def class_path(cls: type) -> str:
    """Return the path by which a runner's class is recorded."""
    ours = cls.__module__.split(".")[:2] == ["kedro", "runner"]
    return cls.__qualname__ if ours else f"{cls.__module__}.{cls.__qualname__}"


def runner_maker(
    session_id: str,
    run: RunState,
    kind: type[Any] | None = None,
    given: Mapping[str, Any] | None = None,
) -> Callable[[], Any]:
    """Return what makes a runner equal to that of an earlier run.

    Args:
        session_id: The session of that run, named in errors.
        run: The earlier run, with its runner's arguments decoded.
        kind: Another class of runners; None for the recorded one.
        given: Arguments that replace or complete the recorded ones.

    Returns:
        A function without arguments; it raises `NotResumable` if it cannot make one.

    Raises:
        NotResumable: The recorded class cannot be imported, or an argument is neither
            recorded nor given.
    """
    recorded = run.runner or _DEFAULT
    cls = _load(session_id, recorded) if kind is None else kind
    known: dict[str, Any] = {}
    missing: list[str] = []
    if kind is None or class_path(kind) == recorded:
        recorded_arguments: Any = run.runner_arguments
        if isinstance(recorded_arguments, Inexact):
            recorded_arguments = {}
        usable = {k: v for k, v in recorded_arguments.items() if _is_exact(k, v)}
        missing = [*run.runner_arguments_unknown]
        missing += [name for name in recorded_arguments if name not in usable]
        known |= usable
    accepted = _parameters(cls)
    if "is_async" in accepted:
        known["is_async"] = run.is_async
    known |= given or {}
    missing += [name for name, one in _own_parameters(cls) if _is_required(one)]
    missing = [name for name in dict.fromkeys(missing) if name not in known]
    name = class_path(cls) if isinstance(cls, type) else recorded
    if missing:
        values = ",".join(f"{one}=..." for one in missing)
        what = "argument" if len(missing) == 1 else "arguments"
        reason = f"the {what} {', '.join(missing)} of its runner {name} "
        reason += "is not recorded" if len(missing) == 1 else "are not recorded"
        advice = f"Give --runner-params={values} (or another --runner)."
        raise NotResumable(session_id, reason, advice)
    return functools.partial(_make, session_id, name, cls, known)


def _make(
    session_id: str, name: str, cls: Callable[..., Any], arguments: Mapping[str, Any]
) -> Any:
    try:
        return cls(**arguments)
    except Exception as error:
        let_through(error)
        told = " ".join(f"{type(error).__qualname__}: {error}".split())
        reason = f"its runner {name} cannot be made ({told})"
        raise NotResumable(session_id, reason, _ADVICE) from error


def _load(session_id: str, name: str) -> Any:
    try:
        return compat.load_runner(name)
    except Exception as error:  # importing a foreign module
        let_through(error)
        told = " ".join(f"{type(error).__qualname__}: {error}".split())
        reason = f"its runner {name} cannot be imported ({told})"
        raise NotResumable(session_id, reason, _ADVICE) from error


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    found = flags.get("runner_params")
    return dict(found) if isinstance(found, Mapping) else {}


def _parameters(cls: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of a constructor by name.

    Where a constructor takes `**kwargs`, those of the next class of the method
    resolution order belong to it.
    """
    found: dict[str, inspect.Parameter] = {}
    for base in getattr(cls, "__mro__", ()):
        init = vars(base).get("__init__")
        if init is None:
            continue
        try:
            parameters = [*inspect.signature(init).parameters.values()][1:]
        except (TypeError, ValueError) as error:
            let_through(error)
            break
        for one in parameters:
            if one.kind not in _VARIADIC:
                found.setdefault(one.name, one)
        if all(one.kind is not inspect.Parameter.VAR_KEYWORD for one in parameters):
            break
    return found


def _own_parameters(cls: Any) -> list[tuple[str, inspect.Parameter]]:
    try:
        return [*inspect.signature(cls).parameters.items()]
    except (TypeError, ValueError) as error:
        let_through(error)
        return []


def _is_required(parameter: inspect.Parameter) -> bool:
    return (
        parameter.kind not in _VARIADIC and parameter.default is inspect.Parameter.empty
    )


def _is_importable(cls: type) -> bool:
    found: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls


def _is_data(value: object, depth: int = 0) -> bool:
    """Return True if a value has an exact form: decoded, it is an equal value.

    Other objects, such as a client of a cluster, are not looked into.
    """
    cls = type(value)
    if value is None or cls in _SCALARS or isinstance(value, pathlib.PurePath):
        return True
    if depth >= _DEPTH_MAX or cls not in _CONTAINERS:
        return False
    inner: Any = value
    if len(inner) > _ITEMS_MAX:
        return False
    items = [*inner, *inner.values()] if cls is dict else inner
    return all(_is_data(item, depth + 1) for item in items)


def _is_exact(name: str, value: object) -> bool:
    return not list(problems({name: value}))
