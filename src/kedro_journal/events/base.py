"""What every event is: an immutable fact, past tense, without its envelope."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

__all__ = [
    "Attempt",
    "DatasetName",
    "DurationS",
    "EXACT_FIELDS",
    "ErrorInfo",
    "Event",
    "Frame",
    "LeftOut",
    "NodeName",
    "PLAIN_FIELDS",
    "Part",
    "RunId",
    "UnknownEvent",
]

RunId = Annotated[
    str | None,
    Meta(
        description="Kedro's id of the run. Null where Kedro does not tell which of "
        "several concurrent runs a call belongs to: it is never guessed."
    ),
]
Attempt = Annotated[
    int,
    Meta(
        ge=1,
        description="Which try at this run, from 1: Kedro reuses the run id "
        "when a failed run is retried in the same session.",
    ),
]
NodeName = Annotated[str, Meta(description="Name of the node, with its namespace.")]
DatasetName = Annotated[str, Meta(description="Name of the dataset in the catalog.")]
LeftOut = Annotated[
    tuple[str, ...],
    Meta(
        description="Fields of this record that could not be recorded whole, because "
        "they are too large for it."
    ),
]
Part = Annotated[
    int,
    Meta(
        ge=1,
        description="What is too large for one record comes in parts: further records "
        "of this type, whose lists and mappings are added to those of the first.",
    ),
]
DurationS = Annotated[
    float | None,
    Meta(description="Seconds by the monotonic clock of the writing process."),
]

# Fields that hold names and numbers which Kedro or this package made. Everything
# else goes through redaction before it is encoded, so that a new field is safe
# until somebody says otherwise.
PLAIN_FIELDS = frozenset(
    {
        "run_id",
        "attempt",
        "node",
        "dataset",
        "duration_s",
        "is_async",
        "size_bytes",
        "modified_us",
        "entries",
        "oom_kills",
        "listing_sha256",
        "etag",
        "session_id",
        "uid",
        "pid",
        "exit_code",
        "signal",
        "lost",
        "offset",
        "length",
        "sha256",
        "phase",
        "part",
        "dropped",
        "via",
        "package_name",
        "host",
        "env",
        "free_inputs",
        "outputs",
        "pipelines",
        "runner",
        "save_version",
        "input_versions",
        "load_versions",
        "kedro_session_id",
        "parent_session_id",
        "parent_run_id",
        "done",
        "remaining",
        "group_id",
        "config_sha256",
        "level",
        "logger",
    }
)

# Fields that a later run needs: recorded without loss, see `redaction.exact`, or so
# that it shows that they are not.
EXACT_FIELDS = frozenset({"runtime_params", "filters", "runner_arguments"})


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of all events. `TYPE` is the name on the wire, `VERSION` its shape."""

    TYPE: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1


class UnknownEvent(Event, frozen=True, kw_only=True):
    """An event of a type or version that this version does not know.

    Written by a newer version, or damaged in meaning though not in bytes. It is
    kept byte for byte and counted; no fold reads it.

    Attributes:
        type: The type name on the wire.
        version: The event type's version.
        format: The version of the line format that its record has.
        raw: The bytes of `data` as they stand in the line.
    """

    type: str
    version: int = 1
    format: int = 1
    raw: bytes = b"{}"


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """One frame of a traceback, outermost first in a list of them."""

    file: Annotated[str, Meta(description="Path of the source file.")]
    line: Annotated[int, Meta(description="Line number, from 1; 0 if unknown.")]
    function: Annotated[str, Meta(description="Name of the function.")]
    source: Annotated[str, Meta(description="That line of the source, stripped.")] = ""


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """An exception as plain data: redacted, bounded, readable anywhere."""

    type: Annotated[
        str,
        Meta(description="module.qualname of the class; builtins without a module."),
    ]
    message: Annotated[str, Meta(description="str() of the exception.")] = ""
    frames: Annotated[
        tuple[Frame, ...],
        Meta(description="The traceback, outermost first, at most 60 frames."),
    ] = ()
    snippet: Annotated[
        tuple[str, ...],
        Meta(
            description="Source lines around the innermost frame of the project, "
            "each with its number; the failing one begins with '>'."
        ),
    ] = ()
    remote: Annotated[
        str,
        Meta(description="Traceback text that came from a worker process."),
    ] = ""
    cause: Annotated[
        ErrorInfo | None,
        Meta(description="What it was raised from, or while handling."),
    ] = None
    handling: Annotated[
        bool,
        Meta(
            description="The cause was being handled when this was raised, and was not "
            "named by `raise ... from`."
        ),
    ] = False
    snippet_at: Annotated[
        str,
        Meta(description="file:line of the failing line of the snippet."),
    ] = ""

    @property
    def root(self) -> ErrorInfo:
        """The first cause, which is the error itself if it has none."""
        error = self
        while error.cause is not None:
            error = error.cause
        return error

    @property
    def is_broken_pool(self) -> bool:
        """Whether it says that a worker process of a pool died."""
        return self.type.rpartition(".")[2] == "BrokenProcessPool"

    def summary(self) -> str:
        """Give type and message in one line."""
        text = " ".join(self.message.split())
        return f"{self.type}: {text}" if text else self.type
