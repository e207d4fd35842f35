"""Kedro's private names, and nothing else: the only module that touches them.

Contract-tested on the oldest and the newest supported Kedro; each function answers
None or empty where a version has no such name.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import kedro
from kedro.framework.session import session as _session

__all__ = [
    "catalog_dataset",
    "context_hook_manager",
    "context_runtime_params",
    "dataset_path",
    "dataset_version",
    "is_generator_node",
    "package_name",
    "runner_name",
]

# Its home differs between versions; every one has it here.
KedroSessionError: type[Exception] = _session.KedroSessionError  # type: ignore[attr-defined]
_KEDRO = tuple(int(part) for part in re.findall(r"\d+", kedro.__version__)[:2])
_OBJECT = re.compile(r"<(?P<path>[\w.]+) object at 0x[0-9a-f]+>\Z")


def context_hook_manager(context: Any) -> Any:
    """Give the plugin manager that a context calls; each session has one of its own."""
    return getattr(context, "_hook_manager", None)


def context_runtime_params(context: Any) -> dict[str, Any]:
    """Give the runtime parameters that a context was made with."""
    return getattr(context, "_runtime_params", None) or {}


def credentials(context: Any) -> dict[str, Any]:
    """Give the credentials of a project; none where they cannot be read."""
    try:
        return context._get_config_credentials() or {}
    except Exception:  # the catalog was made without them
        return {}


def context_package_name(context: Any) -> str | None:
    """Give the package that a context was made for."""
    return getattr(context, "_package_name", None)


def package_name() -> str | None:
    """Give the package that Kedro is configured for in this process."""
    from kedro.framework import project

    return getattr(project, "PACKAGE_NAME", None)


def request_pipelines(names: list[str] | None) -> None:
    """Say which pipelines will be asked for; Kedro before 1.4 makes them all."""
    from kedro.framework.project import pipelines

    request = getattr(pipelines, "set_requested", None)
    if request is not None:
        request(names)


def pipelines_argument(run: Any, names: list[str] | None) -> dict[str, Any]:
    """Give the argument of a session's `run` that names its pipelines.

    An older Kedro takes one alone.
    """
    if "pipeline_names" in inspect.signature(run).parameters:
        return {"pipeline_names": names}
    return {"pipeline_name": names[0] if names else None}


def catalog_dataset(catalog: Any, name: str) -> Any:
    """Give a dataset of a catalog, which the runner has made already."""
    return catalog.get(name)


def is_persistent(dataset: Any) -> bool:
    """Tell whether what is saved in a dataset outlives the process."""
    inner = getattr(dataset, "_dataset", None)
    if inner is not None and type(dataset).__name__ == "CachedDataset":
        return is_persistent(inner)
    return not getattr(dataset, "_EPHEMERAL", False)


def is_versioned(dataset: Any) -> bool:
    """Tell whether a dataset keeps versions."""
    return getattr(_inner(dataset), "_version", None) is not None


def version_exists(dataset: Any, version: str | None) -> bool | None:
    """Tell whether a version of a dataset is there; None if it does not say.

    Args:
        dataset: The dataset.
        version: Its version; None for one without versions.
    """
    from kedro.io.core import AbstractDataset

    inner = _inner(dataset)
    if version is not None:
        exists = getattr(inner, "_exists_function", None)
        if exists is None:
            return None
        return bool(exists(str(inner._get_versioned_path(version))))
    if type(inner)._exists is AbstractDataset._exists:
        return None  # it would log a warning and say no
    return bool(inner.exists())


def dataset_path(dataset: Any, version: str | None) -> str | None:
    """Give where a version of a dataset is, with its protocol if that is not a file."""
    dataset = _inner(dataset)
    path = getattr(dataset, "_filepath", None)
    if path is None:
        return None
    if version is not None:
        path = dataset._get_versioned_path(version)
    protocol = getattr(dataset, "_protocol", "file")
    if protocol in ("file", "", None):
        return str(path)
    return f"{protocol}://{path}"


def dataset_version(dataset: Any, *, saved: bool) -> str | None:
    """Give the version a dataset was just saved as or loaded from, None if it has none.

    Kedro has resolved and cached it by then.
    """
    dataset = _inner(dataset)
    if getattr(dataset, "_version", None) is None:
        return None
    resolve = dataset.resolve_save_version if saved else dataset.resolve_load_version
    version = resolve()
    return None if version is None else str(version)


def _inner(dataset: Any) -> Any:
    """Look through the wrapper that caches another dataset."""
    return getattr(dataset, "_dataset", dataset)


def is_generator_node(node: Any) -> bool:
    """Tell whether Kedro saves a node's outputs in chunks."""
    return inspect.isgeneratorfunction(getattr(node, "func", None))


def saves_in_chunks(node: Any, outputs: Any) -> bool:
    """Tell the same when the outputs are there: Kedro before 1.4 went by them."""
    if _KEDRO >= (1, 4):
        return is_generator_node(node)
    values = list(outputs.values()) if isinstance(outputs, dict) else []
    return bool(values) and all(isinstance(value, Iterator) for value in values)


def runner_name(run_params: dict[str, Any]) -> str:
    """Give the runner's class from what Kedro says of it, which is a repr."""
    text = str(run_params.get("runner") or "None")
    if text == "None":
        return "SequentialRunner"
    found = _OBJECT.match(text)
    if found is None:
        return text
    path = found["path"]
    return path.rpartition(".")[2] if path.startswith("kedro.runner.") else path


def run_id(run_params: Mapping[str, Any]) -> str | None:
    """Give the id of a run from what its hooks are told; Kedro 1.0 has another name."""
    return run_params.get("run_id") or run_params.get("session_id")


def session_runs_here() -> int:
    """Count the calls of a session's `run` that this thread is in."""
    frame: FrameType | None = sys._getframe()
    count = 0
    while frame is not None and (frame := frame.f_back) is not None:
        module = str(frame.f_globals.get("__name__"))
        if frame.f_code.co_name == "run" and module.startswith("kedro.framework.sess"):
            count += 1
    return count


def conf_source(context: Any) -> Path | None:
    """Give the folder of the configuration, None if it is an archive or remote."""
    source = getattr(getattr(context, "config_loader", None), "conf_source", None)
    if source is None or "://" in str(source):
        return None
    path = Path(str(source))
    return path if path.is_dir() else None


def config_environments(context: Any) -> list[str]:
    """Give the configuration environments in force, base first."""
    loader = getattr(context, "config_loader", None)
    base = getattr(loader, "base_env", None) or "base"
    run = context.env or getattr(loader, "env", None)
    run = run or getattr(loader, "default_run_env", None) or "local"
    return [base] if run == base else [base, run]


def config_patterns(context: Any, kind: str) -> list[str]:
    """Give the patterns by which files of a kind of configuration are found."""
    loader = getattr(context, "config_loader", None)
    patterns = getattr(loader, "config_patterns", None) or {}
    return list(patterns.get(kind) or [f"{kind}*", f"{kind}*/**", f"**/{kind}*"])


def credential_patterns() -> list[str]:
    """Return the patterns by which the project's loader finds credentials.

    The settings are asked, for no context need have been made yet.
    """
    found = ["credentials*", "credentials*/**", "**/credentials*"]
    try:
        from kedro.framework.project import settings

        own = (settings.CONFIG_LOADER_ARGS or {}).get("config_patterns") or {}
        found += [str(pattern) for pattern in own.get("credentials") or ()]
    except Exception:  # settings that do not import are Kedro's to report
        return found
    return found


def plugin_is_disabled(distribution: str) -> bool:
    """Tell whether the project's settings switched a plugin's hooks off."""
    from kedro.framework.project import settings

    return distribution in (settings.DISABLE_HOOKS_FOR_PLUGINS or ())


def copy_hook_manager(manager: Any, without: object) -> Any:
    """Make a plugin manager with the plugins of another one, in their order.

    Args:
        manager: The other one; given back as it is if it is none of pluggy's.
        without: A plugin to leave out.
    """
    from kedro.framework.hooks.manager import _create_hook_manager
    from pluggy import PluginManager

    if not isinstance(manager, PluginManager):
        return manager
    copy = _create_hook_manager()
    for name, plugin in manager.list_name_plugin():
        if plugin is None:
            copy.set_blocked(name)
        elif plugin is not without:
            copy.register(plugin, name)
    return copy
