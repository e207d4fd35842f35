"""Settings: `[tool.kedro_journal]` in pyproject.toml, `KEDRO_JOURNAL_*` over it.

Read without Kedro, so that workers and the standalone command line see the same. An
unknown key or a wrong type is an error that names the key.
"""

from __future__ import annotations

import os
import re
import reprlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_origin

import msgspec
from msgspec import Meta

from kedro_journal._building import building
from kedro_journal._switch import truth
from kedro_journal.errors import ConfigError

__all__ = [
    "ENV_PREFIX",
    "Config",
    "Explained",
    "explain_config",
    "find_project",
    "load_config",
    "load_for_reading",
]

ENV_PREFIX: Final = "KEDRO_JOURNAL_"
# Set by this package for its own child processes, and what a session is to others.
_NO_SETTINGS: Final = frozenset(
    {"SESSION", "PROJECT", "GROUP_ID", "PARENT_SESSION_ID", "LABELS"}
)


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one project."""

    disable: Annotated[
        bool, Meta(description="Journal nothing; KEDRO_JOURNAL_DISABLE=1 for one run.")
    ] = False
    directory: Annotated[
        str,
        Meta(
            min_length=1,
            pattern="^[^\\x00]*$",
            description="Journal directory; relative to the project, not to the "
            "working directory.",
        ),
    ] = "sessions"
    durability: Annotated[
        Literal["flush", "group", "sync"],
        Meta(
            description="When an append returns. flush: the kernel has it, any death "
            "of the process keeps it. group: also on the disk within 50 ms. sync: on "
            "the disk. Lifecycle and failure events are synced always."
        ),
    ] = "flush"
    strict: Annotated[
        bool,
        Meta(description="Let the run fail when the journal cannot be written."),
    ] = False
    environment: Annotated[
        tuple[str, ...],
        Meta(
            description="Environment variables to record, as shell patterns. Values "
            "are redacted. Besides them, only those that the project's configuration "
            "refers to are recorded, and of those of credentials only the names."
        ),
    ] = ("KEDRO_*",)
    git_diff: Annotated[
        bool,
        Meta(
            description="Keep the uncommitted changes of tracked files beside the "
            "journal, redacted and cut at 1 MiB."
        ),
    ] = False
    packages: Annotated[
        Literal["off", "hash", "list"],
        Meta(
            description="What to record of the installed distributions: nothing, a "
            "hash that tells whether two environments are equal, or their names and "
            "versions as well."
        ),
    ] = "hash"
    redact: Annotated[
        tuple[str, ...],
        Meta(description="Further names whose values are secrets, anywhere in a key."),
    ] = ()
    error_text: Annotated[
        Literal["full", "type"],
        Meta(
            description="What to record of an exception. full: its message as well, "
            "without the data values of exceptions that are known to carry them. type: "
            "its class, the frames and their source lines alone."
        ),
    ] = "full"
    error_examples: Annotated[
        bool,
        Meta(
            description="Record a few of the data values that a validation failed for."
        ),
    ] = False
    log_level: Annotated[
        Literal["off", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        Meta(
            description="Journal log records of this level and above, with the node "
            "that they belong to: at most 100 of a node, 1000 of a run in a process. "
            "Loggers that let less through stay as they are."
        ),
    ] = "off"
    log_tail: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="How many of a node's last log records are kept in memory "
            "until it ends, and recorded if it fails. 0: none. Those journaled by "
            "`log_level` are not recorded twice, and Kedro's own are left out. "
            'Nothing is kept if `error_text` is "type".',
        ),
    ] = 20
    remote_fingerprints: Annotated[
        Literal["off", "files", "folders"],
        Meta(
            description="What to ask file systems of other machines (object stores, "
            "HTTP, SFTP) about data that was loaded or saved, so that `resume` can "
            "tell whether it was changed. off: nothing. files: one request for each "
            "file, at its first load in a run and at each save. folders: also a "
            "listing of each folder, which takes a request for about every 1000 "
            "files. After a request of more than one second, a run asks that file "
            "system no more."
        ),
    ] = "files"
    content_hash_kib: Annotated[
        int,
        Meta(
            ge=0,
            le=1_048_576,
            description="Largest file or folder of this machine, in KiB, whose content "
            "is hashed at its first load in a run and at each save, so that `resume` "
            "knows it again in a copy of the project. 0: none is read. A hash takes "
            "about 2 ms for each MiB.",
        ),
    ] = 1024
    hint: Annotated[
        bool,
        Meta(
            description="After a `kedro run` that did not complete, print one line on "
            "stderr: what failed, and the command that shows it."
        ),
    ] = True
    lock_backend: Annotated[
        Literal["auto", "filelock", "fcntl"],
        Meta(
            description="What takes the file locks. auto: fcntl on Unix, filelock on "
            "Windows. Both take the same lock."
        ),
    ] = "auto"
    lock_timeout_s: Annotated[
        float,
        Meta(gt=0, description="Seconds to wait for another process's append."),
    ] = 30.0

    @property
    def is_directory_chosen(self) -> bool:
        """Whether the user named a journal directory other than the default one."""
        return self.directory != Config().directory

    def journal_directory(self, project_path: Path) -> Path:
        """Return the journal directory of a project.

        Raises:
            ConfigError: It begins with the home of a user who is unknown here.
        """
        try:
            return project_path / Path(self.directory).expanduser()
        except RuntimeError as error:  # an unknown user: ~name
            reason = f"`tool.kedro_journal.directory`: {error}"
            raise ConfigError(str(project_path), reason, "directory") from error


def find_project(start: Path | None = None, *, broken: bool = False) -> Path | None:
    """Find the Kedro project that a folder is in: itself or the nearest parent.

    Args:
        start: The folder; None for the working directory.
        broken: Also find one whose pyproject.toml does not parse, if it has that
            table's name somewhere.

    Returns:
        The folder whose pyproject.toml has `[tool.kedro]`, or None.
    """
    folder = (start or Path.cwd()).resolve()
    for candidate in (folder, *folder.parents):
        path = candidate / "pyproject.toml"
        try:
            if "kedro" in _tool_table(path):
                return candidate
        except ConfigError:
            if broken and _KEDRO_TABLE in path.read_bytes():
                return candidate
    return None


def load_config(
    project_path: Path | None,
    environ: Mapping[str, str] | None = None,
    on_error: Callable[[ConfigError], None] | None = None,
) -> Config:
    """Read the settings of a project.

    Args:
        project_path: Root of the project; None for the defaults.
        environ: Environment to read; None for this process's.
        on_error: Told of each mistake instead of raising it: the settings that are
            right hold all the same, `disable` above all. Where `redact` is wrong,
            nothing may be written, so it counts as `disable`.

    Raises:
        ConfigError: A key is unknown, a value has the wrong type, or pyproject.toml
            is not TOML.
    """
    if on_error is not None:
        return _load_what_is_right(project_path, environ, on_error, {})
    environ = os.environ if environ is None else environ
    config = Config()
    if project_path is not None:
        path = project_path / "pyproject.toml"
        tool = _tool_table(path)
        for mistake, _ in _mistyped(tool, path):
            raise mistake
        table = tool.get("kedro_journal", {})
        config = _convert(table, str(path), "tool.kedro_journal")
    for name, value in environ.items():
        key = name.removeprefix(ENV_PREFIX)
        if not name.startswith(ENV_PREFIX) or key in _NO_SETTINGS:
            continue
        config = _override(config, key.lower(), value, name)
    return config


def load_for_reading(
    project_path: Path | None,
    environ: Mapping[str, str] | None = None,
    *,
    on_error: Callable[[ConfigError], None],
) -> Config:
    """Read what is needed to find journals: a setting for writing must not hide them.

    Args:
        project_path: Root of the project; None for the defaults.
        environ: Environment to read; None for this process's.
        on_error: Told of each mistake.

    Raises:
        ConfigError: `directory` itself is invalid.
    """
    config, sources, mistakes = explain_config(project_path, environ)
    overridden = sources.get("directory", "").startswith(ENV_PREFIX)
    for mistake in mistakes:
        if mistake.key == "directory" and not overridden:
            raise mistake
    for mistake in mistakes:
        on_error(mistake)
    return config


class Explained(NamedTuple):
    """The settings in force, and why.

    Attributes:
        config: The settings that are right; see `load_config` with *on_error*.
        sources: Where each setting stands that is no default, by its key:
            `pyproject.toml` or the name of a variable.
        mistakes: What is invalid.
    """

    config: Config
    sources: Mapping[str, str]
    mistakes: tuple[ConfigError, ...]


def explain_config(
    project_path: Path | None, environ: Mapping[str, str] | None = None
) -> Explained:
    """Read the settings of a project, and say where each comes from. Never raises."""
    sources: dict[str, str] = {}
    mistakes: list[ConfigError] = []
    config = _load_what_is_right(project_path, environ, mistakes.append, sources)
    return Explained(config, sources, tuple(mistakes))


def _load_what_is_right(
    project_path: Path | None,
    environ: Mapping[str, str] | None,
    on_error: Callable[[ConfigError], None],
    sources: dict[str, str],
) -> Config:
    environ = os.environ if environ is None else environ
    right: dict[str, Any] = {}
    unsafe = ""  # where the names of secrets stand that do not read
    if project_path is not None:
        path = project_path / "pyproject.toml"
        if _right_of_file(path, on_error, right):
            unsafe = path.name
        sources.update(dict.fromkeys(right, path.name))
    with building():
        config = msgspec.convert(right, Config)
    for name, value in environ.items():
        key = name.removeprefix(ENV_PREFIX)
        if not name.startswith(ENV_PREFIX) or key in _NO_SETTINGS:
            continue
        try:
            config = _override(config, key.lower(), value, name)
            sources[key.lower()] = name
            if key == "REDACT":
                unsafe = ""
        except ConfigError as error:
            on_error(error)
            if key == "DISABLE":  # whatever it was meant to say, it was not "journal"
                config = msgspec.structs.replace(config, disable=True)
                sources["disable"] = name
    if unsafe:  # fail closed: what must not be written is not known
        config = msgspec.structs.replace(config, disable=True)
        sources["disable"] = unsafe
    return config


def _right_of_file(
    path: Path, on_error: Callable[[ConfigError], None], right: dict[str, Any]
) -> bool:
    """Read the settings of a file into *right*, each by itself.

    Returns:
        Whether names of secrets stand there that do not read.
    """
    try:
        tool = _tool_table(path)
    except ConfigError as error:
        on_error(error)
        return False
    unsafe = False
    for mistake, other in _mistyped(tool, path):
        on_error(mistake)
        unsafe = unsafe or (isinstance(other, dict) and "redact" in other)
    table = tool.get("kedro_journal", {})
    if not isinstance(table, dict):
        what = reprlib.repr(table)  # it may be long, and deep
        reason = f"it must be a table, not {what} - at `tool.kedro_journal`"
        on_error(ConfigError(str(path), reason))
        table = {}
    for key, value in table.items():
        try:
            _convert({key: value}, str(path), "tool.kedro_journal")
            right[key] = value
        except ConfigError as error:
            on_error(error)
            unsafe = unsafe or key == "redact"
    return unsafe


def _mistyped(
    tool: Mapping[str, Any], path: Path
) -> Iterator[tuple[ConfigError, object]]:
    """Find tables whose name is ours but for a hyphen: nothing reads them."""
    for name, table in tool.items():
        alike = name.lower().translate(_SEPARATORS) == "kedrojournal"
        if name == "kedro_journal" or not alike:
            continue
        reason = f"`[tool.{name}]` is not read; the table is `[tool.kedro_journal]`"
        yield ConfigError(str(path), reason), table


def _tool_table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            tool = tomllib.load(file).get("tool", {})
    except OSError:
        return {}  # there is none, or none for us to read
    except (ValueError, RecursionError) as error:
        # Not only TOMLDecodeError: a number of more digits than Python converts and
        # nesting beyond all measure are errors of their own.
        found = _AT_LINE.fullmatch(str(error))
        what = f"line {found[2]}, column {found[3]}: {found[1]}" if found else error
        raise ConfigError(str(path), f"it does not parse as TOML: {what}") from error
    return tool if isinstance(tool, dict) else {}


def _convert(table: object, source: str, where: str) -> Config:
    try:
        with building():
            return msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        reason = str(error).replace("`$.", f"`{where}.").replace("`$`", f"`{where}`")
        if where not in reason:  # msgspec gives no path for the table itself
            reason = f"{reason} - at `{where}`"
        key = next(iter(table)) if isinstance(table, dict) and len(table) == 1 else ""
        raise ConfigError(source, reason + _allowed(reason), key) from error


def _allowed(reason: str) -> str:
    """Name the values that a setting may have, where it is one of a few."""
    key = reason.rpartition(".")[2].strip("`")
    known = {field.name: field.type for field in msgspec.structs.fields(Config)}
    kind = get_args(known[key])[0] if key in known else None
    if get_origin(kind) is not Literal:
        return ""
    return "; it may be " + ", ".join(f'"{value}"' for value in get_args(kind))


_KEDRO_TABLE: Final = b"[tool.kedro]"
_AT_LINE: Final = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)
_SEPARATORS: Final = str.maketrans("", "", "-_. ")


def _override(config: Config, key: str, value: str, source: str) -> Config:
    known = {field.name: field for field in msgspec.structs.fields(Config)}
    if key not in known:
        names = ", ".join(ENV_PREFIX + name.upper() for name in known)
        reason = f"there is no such setting; there are {names}"
        raise ConfigError(source, reason, key)
    current = getattr(config, key)
    given: object = value
    if isinstance(current, tuple):
        given = tuple(part.strip() for part in value.split(",") if part.strip())
    elif isinstance(current, bool):
        meant = truth(value)
        given = value if meant is None else meant
    try:
        data = {**msgspec.structs.asdict(config), key: given}
        strict = isinstance(current, (bool, tuple))
        with building():
            return msgspec.convert(data, Config, strict=strict)
    except (msgspec.ValidationError, UnicodeError) as error:
        # The bytes of a variable need not be text.
        reason = f"{value!r} does not fit: {error}"
        raise ConfigError(source, reason + _allowed(str(error)), key) from error
