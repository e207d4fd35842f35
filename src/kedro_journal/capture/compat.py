"""Kedro's private names, and nothing else: the only module that touches them.

Contract-tested on the oldest and the newest supported Kedro; each function answers
None or empty where a version has no such name.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import kedro
from kedro.framework.session import session as _session

from kedro_journal._outside import let_through

__all__ = [
    "Place",
    "calling_catalog",
    "catalog_dataset",
    "context_hook_manager",
    "context_runtime_params",
    "dataset_path",
    "dataset_place",
    "dataset_version",
    "is_generator_node",
    "package_name",
    "runner_name",
]

# Its home differs between versions; every one has it here.
KedroSessionError: type[Exception] = _session.KedroSessionError  # type: ignore[attr-defined]
_KEDRO = tuple(int(part) for part in re.findall(r"\d+", kedro.__version__)[:2])
_LOCAL = ("file", "local", "")
_WRAPPERS_MAX = 8
_FRAMES_MAX = 40
_CLASS = re.compile(r"<?(?:class ')?(?P<path>[\w.]+)")
_OBJECT = re.compile(r"<(?P<path>[\w.]+) object at 0x[0-9a-f]+>\Z")


def context_hook_manager(context: Any) -> Any:
    """Return the plugin manager of a context; each session has its own."""
    return getattr(context, "_hook_manager", None)


def context_runtime_params(context: Any) -> dict[str, Any]:
    """Return the runtime parameters that a context was made with."""
    return getattr(context, "_runtime_params", None) or {}


def credentials(context: Any) -> dict[str, Any]:
    """Return the credentials of a project; none where they cannot be read."""
    try:
        return context._get_config_credentials() or {}
    except Exception as error:  # the catalog was made without them
        let_through(error)
        return {}


def context_package_name(context: Any) -> str | None:
    """Return the package that a context was made for."""
    return getattr(context, "_package_name", None)


def package_name() -> str | None:
    """Return the package that Kedro is configured for in this process."""
    from kedro.framework import project

    return getattr(project, "PACKAGE_NAME", None)


def request_pipelines(names: list[str] | None) -> None:
    """Return which pipelines will be asked for; Kedro before 1.4 makes them all."""
    from kedro.framework.project import pipelines

    request = getattr(pipelines, "set_requested", None)
    if request is not None:
        request(names)


def pipelines_argument(run: Any, names: list[str] | None) -> dict[str, Any]:
    """Return the argument of a session's `run` that names its pipelines.

    An older Kedro takes one alone.
    """
    if "pipeline_names" in inspect.signature(run).parameters:
        return {"pipeline_names": names}
    return {"pipeline_name": names[0] if names else None}


def catalog_dataset(catalog: Any, name: str) -> Any:
    """Return a dataset of a catalog, which the runner has made already."""
    return catalog.get(name)


def catalog_with(context: Any, load_versions: dict[str, str]) -> Any:
    """Return a context's catalog that loads these versions."""
    if not load_versions:
        return context.catalog
    return context._get_catalog(load_versions=load_versions)


def is_persistent(dataset: Any) -> bool:
    """Return whether what is saved in a dataset outlives the process."""
    inner = getattr(dataset, "_dataset", None)
    if inner is not None and type(dataset).__name__ == "CachedDataset":
        return is_persistent(inner)
    return not getattr(dataset, "_EPHEMERAL", False)


def is_versioned(dataset: Any) -> bool:
    """Return whether a dataset keeps versions."""
    return getattr(_inner(dataset), "_version", None) is not None


def version_exists(dataset: Any, version: str | None) -> bool | None:
    """Return whether a version of a dataset is there; None if it does not say.

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


class Place(NamedTuple):
    """Where the data of a dataset is.

    Attributes:
        path: As its file system takes it.
        protocol: `file` for the file systems of this machine.
        filesystem: Of fsspec; None for `file`, and where the dataset has none.
        is_folder: The dataset is one of a folder, whatever is there.
        suffix: Ending of the files in the folder that are data of it.
        checkpoint: Relative name of the file that an incremental dataset keeps there.
    """

    path: str
    protocol: str = "file"
    filesystem: Any = None
    is_folder: bool = False
    suffix: str = ""
    checkpoint: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is a file or folder of this machine."""
        return self.protocol == "file"

    @property
    def url(self) -> str:
        """The path, with the protocol unless it is `file`."""
        if self.is_local or "://" in self.path:
            return self.path
        return f"{self.protocol}://{self.path}"

    def counts(self, name: str) -> bool:
        """Return whether a file of the folder is data of the dataset."""
        return name.endswith(self.suffix) and name != (self.checkpoint or None)


def dataset_place(dataset: Any, version: str | None) -> Place | None:
    """Return where a version of a dataset is; None if it has no location of its own.

    The path of a dataset that holds a query is that of the query, not of the data.
    """
    dataset = _inner(dataset)
    path = getattr(dataset, "_filepath", None)
    if type(dataset).__name__.endswith("QueryDataset"):
        return None
    if path is None:
        return _folder_place(dataset)
    if version is not None:
        path = dataset._get_versioned_path(version)
    text = f"{getattr(dataset, '_fs_prefix', None) or ''}{path}"
    protocol = getattr(dataset, "_protocol", None) or "file"
    if "://" in text:
        protocol, _, rest = text.partition("://")
        text = rest if protocol in _LOCAL else text
    if protocol in _LOCAL:
        return Place(text)
    return Place(text, protocol, getattr(dataset, "_fs", None))


def _folder_place(dataset: Any) -> Place | None:
    """Return where a partitioned dataset is; None if it is no such dataset."""
    path = getattr(dataset, "_path", None)
    suffix = getattr(dataset, "_filename_suffix", None)
    if not isinstance(path, str) or not isinstance(suffix, str):
        return None
    protocol, separator, rest = path.partition("://")
    protocol = protocol if separator else "file"
    local = protocol in _LOCAL
    path = rest if separator and local else path
    config = getattr(dataset, "_checkpoint_config", None) or {}
    checkpoint = str(config.get(getattr(dataset, "_filepath_arg", ""), ""))
    root = (rest if separator else path).rstrip("/") + "/"
    inside = checkpoint.partition("://")[2] or checkpoint
    checkpoint = inside.removeprefix(root) if inside.startswith(root) else ""
    if local:
        return Place(path, "file", None, True, suffix, checkpoint)
    filesystem = getattr(dataset, "_filesystem", None)
    return Place(path, protocol, filesystem, True, suffix, checkpoint)


def appends(dataset: Any) -> bool:
    """Return whether a save of a dataset adds to what is there, as far as it says."""
    dataset = _inner(dataset)
    options = [
        getattr(dataset, name, None)
        for name in ("_save_args", "_fs_open_args_save", "_writer_args")
    ]
    for one in options:
        if not isinstance(one, Mapping):
            continue
        writer = one.get("writer_args")
        more = writer if isinstance(writer, Mapping) else {}
        modes = (one.get("mode"), more.get("mode"), one.get("if_exists"))
        if any(mode in ("append", "a", "ab", "a+", "at") for mode in modes):
            return True
    return False


def checkpoint_path(dataset: Any) -> tuple[bool, str]:
    """Return whether a dataset has a local checkpoint, and its path.

    The path is empty where a checkpoint is configured that no confirmation moves.
    """
    dataset = _inner(dataset)
    config = getattr(dataset, "_checkpoint_config", None)
    if not isinstance(config, Mapping) or not callable(
        getattr(dataset, "confirm", None)
    ):
        return False, ""
    if getattr(dataset, "_force_checkpoint", None) is not None:
        return True, ""
    path = str(config.get(getattr(dataset, "_filepath_arg", ""), ""))
    protocol, separator, rest = path.partition("://")
    if separator and protocol not in _LOCAL:
        return False, ""
    return bool(path), rest if separator else path


def text_checkpoint(dataset: Any) -> str:
    """Return the path of a checkpoint that is a local text; else an empty one."""
    kept, path = checkpoint_path(dataset)
    dataset = _inner(dataset)
    kind = getattr(dataset, "_checkpoint_config", {}).get("type") if kept else None
    known = kind and kind == getattr(dataset, "DEFAULT_CHECKPOINT_TYPE", None)
    return path if known else ""


def partitions(dataset: Any) -> list[str]:
    """Return the ids of all partitions of an incremental dataset, confirmed or not."""
    dataset = _inner(dataset)
    root, suffix = dataset._normalized_path, dataset._filename_suffix
    paths = dataset._filesystem.find(root, **dataset._load_args)
    return [dataset._path_to_partition(path) for path in paths if path.endswith(suffix)]


def memory_files(filesystem: Any, path: str) -> dict[str, Any] | None:
    """Return the files of fsspec's memory file system at a path or below it, by name.

    Its own `info` and `find` look at every file that there is, and more than once.
    Returns None if the file system is another one.
    """
    store = getattr(filesystem, "store", None)
    if not isinstance(store, dict):
        return None
    root = bare_path(filesystem, path)
    one = store.get(root)
    if one is not None:
        return {"": one}
    below = root.rstrip("/") + "/"
    return {
        name.removeprefix(below): file
        for name, file in list(store.items())
        if name.startswith(below)
    }


def bare_path(filesystem: Any, path: str) -> str:
    """Return a path without its protocol, as a file system of fsspec lists it."""
    return str(filesystem._strip_protocol(path))


def dataset_path(dataset: Any, version: str | None) -> str | None:
    """Return where a version of a dataset is, with its protocol unless it is local."""
    place = dataset_place(dataset, version)
    return None if place is None else place.url


def dataset_version(dataset: Any, *, saved: bool) -> str | None:
    """Return the version a dataset was just saved as or loaded from; None without one.

    Kedro has resolved and cached it by then.
    """
    dataset = _inner(dataset)
    if getattr(dataset, "_version", None) is None:
        return None
    resolve = dataset.resolve_save_version if saved else dataset.resolve_load_version
    version = resolve()
    return None if version is None else str(version)


def _inner(dataset: Any) -> Any:
    """Look through the wrappers that cache other datasets, and the like."""
    for _ in range(_WRAPPERS_MAX):
        inner = getattr(dataset, "_dataset", None)
        if inner is None or not callable(getattr(inner, "load", None)):
            break
        dataset = inner
    return dataset


def node_confirms(node: Any) -> tuple[str, ...]:
    """Return the datasets that Kedro confirms when a node is done."""
    names = getattr(node, "confirms", None)
    return tuple(map(str, names)) if isinstance(names, (list, tuple)) else ()


def node_inputs(node: Any) -> Mapping[str, str] | Sequence[str]:
    """Return a node's inputs as declared: by argument, or in positional order."""
    inputs = node._inputs
    if isinstance(inputs, Mapping):
        return inputs
    return [inputs] if isinstance(inputs, str) else list(inputs or ())


def memory_dataset(value: Any) -> Any:
    """Return a dataset that holds a value as Kedro passes it between nodes."""
    from kedro.io import MemoryDataset

    return MemoryDataset(value)


def node_text(node: Any) -> str:
    """Return `str(node)`, without the warning that Kedro gives of a partial."""
    function = getattr(node, "_func", None)
    if hasattr(function, "__name__") or "functools.partial" not in repr(function):
        return str(node)
    own = getattr(node, "_name", None)
    inputs = f"[{';'.join(node.inputs)}]" if node.inputs else "None"
    outputs = f"[{';'.join(node.outputs)}]" if node.outputs else "None"
    return f"{own}: " * bool(own) + f"<partial>({inputs}) -> {outputs}"


def is_generator_node(node: Any) -> bool:
    """Return whether Kedro saves a node's outputs in chunks."""
    return inspect.isgeneratorfunction(getattr(node, "func", None))


def saves_in_chunks(node: Any, outputs: Any) -> bool:
    """Return the same when the outputs are there: Kedro before 1.4 went by them."""
    if _KEDRO >= (1, 4):
        return is_generator_node(node)
    values = list(outputs.values()) if isinstance(outputs, dict) else []
    return bool(values) and all(isinstance(value, Iterator) for value in values)


def runner_name(run_params: dict[str, Any]) -> str:
    """Return the runner's class from what Kedro says of it, which is a repr."""
    text = str(run_params.get("runner") or "None")
    if text == "None":
        return "SequentialRunner"
    found = _OBJECT.match(text) or _CLASS.match(text)
    if found is None:
        return "(unknown)"
    path = found["path"]
    return path.rpartition(".")[2] if path.startswith("kedro.runner.") else path


def runner_in_use() -> object:
    """Return the runner of the run that calls this hook, None if it is not found.

    It is a local variable of the `run` that calls the hook.
    """
    from kedro.runner import AbstractRunner

    frame: FrameType | None = sys._getframe()
    while frame is not None and (frame := frame.f_back) is not None:
        code = frame.f_code
        if code.co_name == "run" and "runner" in code.co_varnames:
            found = frame.f_locals.get("runner")
            if isinstance(found, AbstractRunner):
                return found
    return None


def load_runner(name: str) -> Any:
    """Return a class of runners by its path; without a module it is one of Kedro's.

    Raises:
        Exception: Whatever importing it raises.
    """
    import importlib

    module, _, attribute = name.rpartition(".")
    inner: list[str] = []
    found: Any = None
    while found is None:
        try:
            found = importlib.import_module(module or "kedro.runner")
        except ModuleNotFoundError as error:
            # The class may be defined in another one.
            outer, _, last = module.rpartition(".")
            if not outer or error.name not in (module, outer):
                raise
            module, inner = outer, [last, *inner]
    for part in (*inner, attribute):
        found = getattr(found, part)
    if not callable(found):
        message = f"{name} is no class"
        raise TypeError(message)
    return found


def run_command() -> dict[str, Any] | None:
    """Return the flags of Kedro's own `run` command, None if it is not running."""
    click = sys.modules.get("click")
    context = click.get_current_context(silent=True) if click else None
    callback = getattr(getattr(context, "command", None), "callback", None)
    if context is None or context.command.name != "run":
        return None
    if getattr(callback, "__module__", "") != "kedro.framework.cli.project":
        return None
    return dict(context.params)


def run_id(run_params: Mapping[str, Any]) -> str | None:
    """Return the id of a run from its hook parameters; Kedro 1.0 uses another name."""
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


def calling_catalog() -> Any:
    """Return the catalog of the task that a hook of this thread is called for.

    The hooks of a load do not get it, and a worker process knows it from nowhere else
    before its first node begins. Returns None where no task is running.
    """
    frame: FrameType | None = sys._getframe()
    for _ in range(_FRAMES_MAX):
        frame = frame.f_back if frame is not None else None
        if frame is None:
            return None
        if frame.f_globals.get("__name__") == "kedro.runner.task":
            catalog = frame.f_locals.get("catalog")
            if catalog is not None:
                return catalog
    return None


def session_of(manager: Any) -> Any:
    """Return Kedro's session whose method this thread is in; None if it is in none.

    Args:
        manager: The session's hook manager.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None and (frame := frame.f_back) is not None:
        module = str(frame.f_globals.get("__name__"))
        if module.startswith("kedro.framework.session"):
            found = frame.f_locals.get("self")
            if getattr(found, "_hook_manager", None) is manager:
                return found
    return None


def has_run(session: Any) -> bool:
    """Return whether a session of Kedro's has run, and so does not run again."""
    return bool(getattr(session, "_run_called", False))


def after_close(
    session: Any, call: weakref.WeakMethod[Callable[[BaseException | None], None]]
) -> None:
    """Call back when `close` of this session of Kedro's has ended.

    No hook tells of it. The session itself is referred to weakly: it must be freed as
    soon as its user drops it.

    Args:
        session: The session; its class is left alone.
        call: What to call, for as long as it lives, with the exception that leaves the
            `with` block, or None. It must not raise.
    """
    held = weakref.ref(session)

    @functools.wraps(type(session).close)
    def close() -> None:
        here = held()
        in_block = sys._getframe(1).f_code.co_name == "__exit__"
        error = sys.exc_info()[1] if in_block else None
        try:
            if here is not None:
                type(here).close(here)
        finally:
            listener = call()
            if listener is not None:
                listener(error)
            del error, listener  # else a traceback might keep them

    del close.__wrapped__
    session.__dict__["close"] = close


def session_conf_source(session: Any) -> object:
    """Return the configuration source of a session: folder, archive or URL."""
    return getattr(session, "_conf_source", None)


def context_conf_source(context: Any) -> object:
    """Return the configuration source of a context: folder, archive or URL."""
    return getattr(getattr(context, "config_loader", None), "conf_source", None)


def conf_source(context: Any) -> Path | None:
    """Return the folder of the configuration, None if it is an archive or remote."""
    source = context_conf_source(context)
    if source is None or "://" in str(source):
        return None
    path = Path(str(source))
    return path if path.is_dir() else None


def config_environments(context: Any) -> list[str]:
    """Return the configuration environments in force, base first."""
    loader = getattr(context, "config_loader", None)
    base = getattr(loader, "base_env", None) or "base"
    run = context.env or getattr(loader, "env", None)
    run = run or getattr(loader, "default_run_env", None) or "local"
    return [base] if run == base else [base, run]


def config_patterns(context: Any, kind: str) -> list[str]:
    """Return the patterns by which files of a kind of configuration are found."""
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
    except Exception as error:  # settings that do not import are Kedro's to report
        let_through(error)
        return found
    return found


def plugin_is_disabled(distribution: str) -> bool:
    """Return whether the project's settings switched a plugin's hooks off."""
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
