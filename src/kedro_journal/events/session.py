"""Events in the life of a session."""

# ruff: noqa: RUF012 - msgspec gives every instance a fresh {}

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from .base import NAME, PLAIN, ErrorInfo, Event, LeftOut, Part

__all__ = [
    "CatalogEntry",
    "CommandLine",
    "ContextLoaded",
    "Git",
    "ParameterSource",
    "SessionActivated",
    "SessionClosed",
    "SessionCreated",
    "SessionDeactivated",
    "SessionFailed",
    "SessionResumed",
    "Versions",
]


class CommandLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """The command that started the session, redacted."""

    argv: Annotated[
        tuple[str, ...],
        Meta(description="The arguments, as given; long ones are cut."),
    ] = ()
    argv_exact: Annotated[
        dict[str, Any],
        Meta(
            description="The arguments without cuts, if one is cut: the name of a file "
            "beside the journal, as for values of runtime_params."
        ),
    ] = {}
    name: Annotated[str, Meta(description="Name of the command, such as run.")] = ""
    flags: Annotated[
        dict[str, Any], Meta(description="Every parsed flag and its value.")
    ] = {}
    given: Annotated[
        tuple[str, ...],
        Meta(description="Names of the flags that were given, not defaulted."),
    ] = ()
    args: Annotated[tuple[str, ...], Meta(description="Arguments left over.")] = ()
    config_file: Annotated[
        str | None, Meta(description="File of flags that was given by --config.")
    ] = None
    from_config: Annotated[
        tuple[str, ...],
        Meta(description="Names of the flags whose values come from that file."),
    ] = ()


class Git(msgspec.Struct, frozen=True, omit_defaults=True):
    """The code that ran."""

    sha: Annotated[str, Meta(description="Full hash of the commit.")] = ""
    branch: Annotated[str | None, Meta(description="Branch, null when detached.")] = (
        None
    )
    dirty: Annotated[bool, Meta(description="Uncommitted or untracked files.")] = False
    diff_file: Annotated[
        str,
        Meta(
            description="File in the session folder with the uncommitted changes of "
            "tracked files, redacted and cut; empty unless the setting `git_diff` "
            "asks for it."
        ),
    ] = ""


class Versions(msgspec.Struct, frozen=True, omit_defaults=True):
    """Versions in force."""

    python: Annotated[str, Meta(extra=PLAIN, description="Python.")] = ""
    kedro: Annotated[str, Meta(extra=PLAIN, description="Kedro.")] = ""
    kedro_journal: Annotated[str, Meta(extra=PLAIN, description="This package.")] = ""
    project: Annotated[
        str | None, Meta(description="The project's package, if it has a version.")
    ] = None
    project_sha256: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="Hash of the source files of the project's package, names and "
            "contents; empty if there are more than 2000, or over 16 MiB of them.",
        ),
    ] = ""
    packages_sha256: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="Hash of the installed distributions, `name-version` each, "
            "sorted, a line each: equal hashes mean equal environments.",
        ),
    ] = ""
    packages: Annotated[
        tuple[str, ...],
        Meta(
            description="The distributions themselves, `name-version`, if the setting "
            "`packages` asks for the list."
        ),
    ] = ()
    project_files: Annotated[
        tuple[str, ...],
        Meta(
            extra=NAME,
            description="The source files of the project's package, relative to it; "
            "empty if there are more than 500, or `project_sha256` is empty.",
        ),
    ] = ()
    project_files_sha256: Annotated[
        tuple[str, ...],
        Meta(
            extra=PLAIN,
            description="Hash of the content of each of those files, in their order, "
            "cut to 64 bits: another one means that the file was edited.",
        ),
    ] = ()


class ParameterSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the value of one parameter comes from."""

    name: Annotated[
        str, Meta(description="The parameter; keys of nested ones joined by dots.")
    ]
    source: Annotated[
        str,
        Meta(
            description="The configuration file, relative to the project; or the flag "
            "--params; or runtime_params, of the Python call; empty if it is in no "
            "file that was found."
        ),
    ] = ""
    line: Annotated[
        int | None, Meta(description="Line in that file, from 1, where it is known.")
    ] = None
    expression: Annotated[
        str,
        Meta(description="What stands there, if it is an interpolation: ${...}."),
    ] = ""
    overrides: Annotated[
        tuple[str, ...],
        Meta(description="Places that it wins over, file:line, nearest first."),
    ] = ()


class CatalogEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One dataset of the configured catalog."""

    name: Annotated[str, Meta(extra=NAME, description="Name of the dataset.")]
    type: Annotated[str, Meta(description="Class of the dataset.")] = ""
    path: Annotated[str | None, Meta(description="Where it is stored, redacted.")] = (
        None
    )
    versioned: Annotated[bool, Meta(description="Whether it keeps versions.")] = False


class SessionCreated(Event, frozen=True, kw_only=True):
    """A session came to be: all that is known of it before anything can fail."""

    TYPE: ClassVar[str] = "session.created"

    session_id: Annotated[str, Meta(extra=NAME, description="Id of the session.")]
    project_path: Annotated[str, Meta(description="Root of the project.")] = ""
    package_name: Annotated[
        str | None, Meta(extra=NAME, description="The project's Python package.")
    ] = None
    project_name: Annotated[
        str | None,
        Meta(extra=NAME, description="The name in its pyproject.toml."),
    ] = None
    distribution: Annotated[
        str | None,
        Meta(
            extra=NAME,
            description="The installed distribution that the package is from, if the "
            "project is packaged: there is no pyproject.toml then.",
        ),
    ] = None
    env: Annotated[
        str | None,
        Meta(extra=NAME, description="Configuration environment that was asked for."),
    ] = None
    runtime_params: Annotated[
        dict[str, Any],
        Meta(
            description="Parameters given at run time (extra_params, --params), exact "
            "where they can be; see the format."
        ),
    ] = {}
    save_on_close: Annotated[
        bool, Meta(description="False means an in-memory journal.")
    ] = True
    conf_source: Annotated[
        str | None,
        Meta(
            description="Configuration source in force: the absolute path of a folder "
            "or archive, or a URL."
        ),
    ] = None
    command: Annotated[
        CommandLine | None, Meta(description="Null outside a command line.")
    ] = None
    environment: Annotated[
        dict[str, str],
        Meta(description="Environment variables of the allow-list, redacted."),
    ] = {}
    git: Annotated[Git | None, Meta(description="Null where there is no git.")] = None
    user: Annotated[str | None, Meta(extra=NAME, description="Login name.")] = None
    host: Annotated[str, Meta(extra=NAME, description="Host name.")] = ""
    pid: Annotated[int, Meta(description="Process id.")] = 0
    cwd: Annotated[str, Meta(description="Working directory.")] = ""
    versions: Annotated[Versions, Meta(description="Versions in force.")] = Versions()
    via: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="session: our session class; hooks: Kedro's own, seen by the "
            "plugin hooks; command: a command line that failed before either.",
        ),
    ] = "session"
    kedro_session_id: Annotated[
        str | None,
        Meta(
            extra=NAME,
            description="Kedro's own id of the session where it is another one.",
        ),
    ] = None
    parent_session_id: Annotated[
        str | None, Meta(extra=NAME, description="Session that this one belongs under.")
    ] = None
    group_id: Annotated[
        str | None,
        Meta(
            extra=NAME,
            description="What sessions share that form one run: the tasks "
            "of an orchestrator, several hosts.",
        ),
    ] = None
    labels: Annotated[
        dict[str, str], Meta(description="Free labels, never part of any order.")
    ] = {}
    container: Annotated[
        str | None,
        Meta(description="Kind and id of the container it runs in, if it is in one."),
    ] = None
    notebook: Annotated[
        str | None,
        Meta(description="Kind of the notebook or shell it runs in, if it is in one."),
    ] = None
    left_out: LeftOut = ()


class SessionActivated(Event, frozen=True, kw_only=True):
    """The session was entered: `get_current_session()` finds it."""

    TYPE: ClassVar[str] = "session.activated"

    depth: Annotated[
        int, Meta(ge=1, description="How often it is entered now, counted.")
    ] = 1


class SessionDeactivated(Event, frozen=True, kw_only=True):
    """The session was left."""

    TYPE: ClassVar[str] = "session.deactivated"

    depth: Annotated[int, Meta(ge=0, description="How often it still is entered.")] = 0


class ContextLoaded(Event, frozen=True, kw_only=True):
    """The project's context was made: configuration was read."""

    TYPE: ClassVar[str] = "context.loaded"

    env: Annotated[
        str | None, Meta(extra=NAME, description="Configuration environment in force.")
    ] = None
    parameters: Annotated[
        dict[str, Any], Meta(description="The parameters in force, redacted.")
    ] = {}
    parameters_sha256: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="Hash of the redacted parameters, as they are recorded, in a "
            "canonical form.",
        ),
    ] = ""
    masked: Annotated[
        tuple[str, ...],
        Meta(
            description="Parameters that are masked, wholly or in part, and have a "
            "digest in `masked_hmac`; keys of nested ones joined by dots."
        ),
    ] = ()
    masked_hmac: Annotated[
        tuple[str, ...],
        Meta(
            extra=PLAIN,
            description="HMAC-SHA-256 of the value of each of those parameters, in "
            "their order, cut to 128 bits. The key is the user's own, in no journal.",
        ),
    ] = ()
    masked_key: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="Which key that was: digests by two keys cannot be compared.",
        ),
    ] = ""
    catalog: Annotated[
        tuple[CatalogEntry, ...], Meta(description="The configured catalog entries.")
    ] = ()
    config_sources: Annotated[
        tuple[str, ...], Meta(description="Configuration files that exist for it.")
    ] = ()
    config_sha256: Annotated[
        tuple[str, ...],
        Meta(
            extra=PLAIN,
            description="Hash of each of those files, in their order; empty for "
            "credentials and for a file that cannot be read or is over 1 MiB.",
        ),
    ] = ()
    unmatched_params: Annotated[
        tuple[str, ...],
        Meta(
            extra=NAME,
            description="Runtime parameters by dotted name, at most 50, that override "
            "no configured parameter and that no configuration file refers to.",
        ),
    ] = ()
    parameter_sources: Annotated[
        tuple[ParameterSource, ...],
        Meta(description="Where each parameter comes from, sorted by name."),
    ] = ()
    environment: Annotated[
        dict[str, str],
        Meta(
            description="Environment variables that configuration other than "
            "credentials refers to, redacted."
        ),
    ] = {}
    credential_environment: Annotated[
        tuple[str, ...],
        Meta(description="Names of those that credentials refer to; no values."),
    ] = ()
    parameters_cut: Annotated[
        dict[str, str],
        Meta(
            description="Top-level parameters whose recorded value is cut, with the "
            "SHA-256 of the whole value in its exact form, secrets masked."
        ),
    ] = {}
    part: Part = 1
    left_out: LeftOut = ()


class SessionFailed(Event, frozen=True, kw_only=True):
    """An exception left the session's block, or came before any run."""

    TYPE: ClassVar[str] = "session.failed"

    error: Annotated[ErrorInfo, Meta(description="What was raised.")]
    phase: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="Where: create, context, run (before the run started), "
            "body (the block of the with statement) or command.",
        ),
    ] = "body"


class SessionClosed(Event, frozen=True, kw_only=True):
    """The last record of a session that ended in order."""

    TYPE: ClassVar[str] = "session.closed"

    reason: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="close: close() or the end of the block; exit: the process "
            "ended; command: the command ended; signal: a signal ended it; "
            "collected: no reference to the session was left; elsewhere: the process "
            "ended, and its run was left to others.",
        ),
    ] = "close"
    exit_code: Annotated[
        int | None, Meta(description="Exit code of the command, if it is known.")
    ] = None


class SessionResumed(Event, frozen=True, kw_only=True):
    """This session resumes another one.

    Told when it is created, and once more with the nodes when the plan is made.
    """

    TYPE: ClassVar[str] = "session.resumed"

    parent_session_id: Annotated[
        str, Meta(extra=NAME, description="The session it resumes.")
    ]
    parent_run_id: Annotated[
        str | None, Meta(extra=NAME, description="The run of it that is gone on from.")
    ] = None
    done: Annotated[
        tuple[str, ...], Meta(extra=NAME, description="Nodes that need not run again.")
    ] = ()
    remaining: Annotated[
        tuple[str, ...], Meta(extra=NAME, description="Nodes that will run.")
    ] = ()
    left_out: LeftOut = ()
