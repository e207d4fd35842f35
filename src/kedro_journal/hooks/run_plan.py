"""What a run was asked for and set out to do: its `run.started`."""

from __future__ import annotations

import functools
import hashlib
import linecache
from collections.abc import Callable, Iterable, Mapping
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kedro_journal._outside import let_through
from kedro_journal.capture import compat
from kedro_journal.capture import fields as capture
from kedro_journal.capture.parts import in_parts
from kedro_journal.capture.runner import RunnerFacts
from kedro_journal.capture.sources import arguments_sha256
from kedro_journal.events import PlannedNode, RunStarted
from kedro_journal.recording.progress import ActiveRun

if TYPE_CHECKING:
    from kedro_journal.recording.recorder import Recorder

__all__ = ["forget_edited_sources", "planned", "run_started"]

_UNWRAP_MAX: Final = 20


def planned(node: Any, redact: Callable[[object], Any]) -> PlannedNode:
    """Describe a node; what its function does not tell is left empty.

    Args:
        node: The node.
        redact: Makes a value safe to write.
    """
    function, source, digest, arguments, label = "", "", "", "", ""
    executed = ""
    try:
        arguments = arguments_sha256(node.func, redact)
        inner = _unwrap(node.func)
        name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
        module = getattr(inner, "__module__", None)
        function = f"{module}.{name}" if isinstance(module, str) else str(name)
        code = getattr(inner, "__code__", None)
        if isinstance(code, CodeType):
            source = f"{code.co_filename}:{code.co_firstlineno}"
            digest = _source_sha256(code)
            executed = _code_sha256(code)
    except Exception as error:  # a foreign callable
        let_through(error)
        function = function or "(unknown)"
    try:
        label = compat.node_text(node)
    except Exception as error:  # of a callable, or of a node class of the user's
        let_through(error)
        label = ""
    namespace = getattr(node, "namespace", None)
    plan = PlannedNode(
        name=node.name,
        inputs=tuple(node.inputs),
        outputs=tuple(node.outputs),
        tags=tuple(sorted(node.tags)),
        function=function,
        source=source,
        source_sha256=digest,
        arguments_sha256=arguments,
        code_sha256=executed,
        namespace=namespace if isinstance(namespace, str) else "",
        confirms=compat.node_confirms(node),
    )
    if label in ("", plan.text):
        return plan
    return msgspec.structs.replace(plan, label=label)


def _source_sha256(code: CodeType) -> str:
    """Hash the lines of a function, decorators included; empty if there is no file.

    `run_started` and a plan drop the lines of files that were edited since, first.
    `inspect.getsource` parses the rest of the file to find the end, which takes a
    millisecond; the last line that the code itself knows takes 20 us.
    """
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 : _end(code)]
    text = "".join(line.rstrip() + "\n" for line in lines)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if lines else ""


def _code_sha256(code: CodeType) -> str:
    """Hash what a function executes, whatever its file says by now.

    A process may go on with code whose file was edited. The hash differs between
    versions of Python.
    """
    digest = hashlib.sha256()
    _add_code(digest, code)
    return digest.hexdigest()


def _add_code(digest: Any, code: CodeType) -> None:
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_flags,
    )
    digest.update(repr((code.co_name, names, counts)).encode("utf-8", "replace"))
    digest.update(code.co_code)
    digest.update(getattr(code, "co_exceptiontable", b""))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _add_code(digest, constant)
            continue
        digest.update(_text_of(constant).encode("utf-8", "replace"))


def _text_of(constant: object) -> str:
    """Return the same text for equal constants in every process."""
    if isinstance(constant, frozenset):
        return f"frozenset({sorted(map(_text_of, constant))})"
    if isinstance(constant, tuple):
        return f"({','.join(map(_text_of, constant))})"
    return repr(constant)


def forget_edited_sources(nodes: Iterable[Any]) -> None:
    """Drop the kept lines of the nodes' source files that were edited since."""
    for name in {_file_of(node) for node in nodes} - {""}:
        try:
            linecache.checkcache(name)
        except Exception as error:  # of a loader of the user's
            let_through(error)


def _file_of(node: Any) -> str:
    try:
        code = getattr(_unwrap(node.func), "__code__", None)
        return str(code.co_filename) if isinstance(code, CodeType) else ""
    except Exception as error:  # a foreign callable
        let_through(error)
        return ""


def _end(code: CodeType) -> int:
    lines = [line for _, _, line in code.co_lines() if line is not None]
    inner = [_end(const) for const in code.co_consts if isinstance(const, CodeType)]
    return max([code.co_firstlineno, *lines, *inner])


def _unwrap(function: Any) -> Any:
    """Look through partials and decorators; a mock answers to every name for ever."""
    for _ in range(_UNWRAP_MAX):
        if isinstance(function, functools.partial):
            function = function.func
            continue
        inner = getattr(function, "__dict__", {}).get("__wrapped__")
        if not callable(inner) or inner is function:
            break
        function = inner
    return function


def _is_unicode(texts: tuple[str, ...]) -> bool:
    """Return whether JSON holds these texts as they are: no lone surrogate."""
    return not any("\ud800" <= char <= "\udfff" for text in texts for char in text)


def run_started(
    run: ActiveRun,
    run_params: Mapping[str, Any],
    pipeline: Any,
    runner: RunnerFacts,
    env: str | None,
    recorder: Recorder,
) -> list[RunStarted]:
    """Describe a run, in several records if it is too large for one."""
    redact = recorder.redactor.plain
    forget_edited_sources(pipeline.nodes)
    nodes = tuple(planned(node, redact) for node in pipeline.nodes)
    recorder.redactor.prime(
        (
            name
            for node in nodes
            for name in (
                *(node.name, node.namespace, *node.inputs, *node.outputs),
                *node.tags,
            )
        ),
        (text for node in nodes for text in (node.function, node.source)),
    )
    load_versions = run_params.get("load_versions") or {}
    versions = [(str(k), str(v)) for k, v in load_versions.items()]
    exact = all(map(_is_unicode, versions))
    pipelines = run_params.get("pipeline_names") or ()
    if one := run_params.get("pipeline_name"):  # an older Kedro
        pipelines = (one,)
    event = RunStarted(
        **run.key,
        pipelines=tuple(pipelines) or ("__default__",),
        filters=capture.run_filters(run_params),
        runner=runner.name,
        is_async=runner.is_async,
        runner_arguments=dict(runner.arguments),
        runner_arguments_unknown=runner.unknown,
        env=env or None,
        runtime_params=dict(run_params.get("runtime_params") or {}),
        load_versions=tuple(pair for pair in versions if _is_unicode(pair)),
        left_out=() if exact else ("load_versions: not Unicode text",),
        save_version=run.run_id,
        nodes=nodes,
        free_inputs=tuple(sorted(pipeline.inputs())),
    )
    names = ("load_versions", "nodes", "free_inputs")
    return in_parts(event, names, RunStarted(**run.key))
