"""What every event is: an immutable fact, past tense, without its envelope."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

__all__ = [
    "Attempt",
    "DataFailure",
    "DatasetName",
    "DurationS",
    "EXACT_FIELDS",
    "ErrorInfo",
    "Event",
    "FailedCheck",
    "Frame",
    "LeftOut",
    "LogLine",
    "NAME",
    "NodeName",
    "PLAIN",
    "Part",
    "RunId",
    "UnknownEvent",
]

# Marks on the fields of events and of their parts. A text field without a mark is
# redacted as free text, so that a new field is safe until it is marked otherwise.
# Numbers need no mark: they cannot hold a text.
PLAIN: Final[dict[str, Any]] = {"plain": True}
"""Written as it is: made by this package alone, such as a hash or one of few words."""
NAME: Final[dict[str, Any]] = {"name": True}
"""Identifies something: registered secrets and known tokens in it are masked, and the
same name always becomes the same text."""

RunId = Annotated[
    str | None,
    Meta(
        extra=NAME,
        description="Kedro's id of the run. Null where Kedro does not tell which of "
        "several concurrent runs a call belongs to: it is never guessed.",
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
NodeName = Annotated[
    str, Meta(extra=NAME, description="Name of the node, with its namespace.")
]
DatasetName = Annotated[
    str, Meta(extra=NAME, description="Name of the dataset in the catalog.")
]
LeftOut = Annotated[
    tuple[str, ...],
    Meta(
        extra=NAME,
        description="Fields of this record that could not be recorded whole, because "
        "they are too large for it.",
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


class LogLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One log record of a node that failed, as text."""

    text: Annotated[
        str, Meta(description="Its message, redacted; cut after 500 characters.")
    ]
    level: Annotated[str, Meta(extra=NAME, description="Name of its level.")] = ""
    logger: Annotated[str, Meta(extra=NAME, description="Name of its logger.")] = ""
    at_us: Annotated[
        int, Meta(description="Wall clock in microseconds since 1970; 0 if unknown.")
    ] = 0


class FailedCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    """One check of data that failed, with all the values it failed for."""

    check: Annotated[str, Meta(description="Name of the check; empty if it has none.")]
    column: Annotated[str, Meta(description="Column or place, if it has one.")] = ""
    count: Annotated[int, Meta(ge=0, description="Values that failed.")] = 1
    examples: Annotated[
        tuple[str, ...],
        Meta(
            description="Some of them, at most 5; empty unless the setting "
            "`error_examples` asks for them."
        ),
    ] = ()


class DataFailure(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an exception says about data, without the data."""

    dataset: Annotated[
        str | None, Meta(extra=NAME, description="The dataset, if known.")
    ] = None
    mode: Annotated[str, Meta(description="load, save or api, if known.")] = ""
    validator: Annotated[str, Meta(description="What checked it, if known.")] = ""
    checks: Annotated[
        tuple[FailedCheck, ...], Meta(description="The checks that failed, at most 50.")
    ] = ()
    checks_total: Annotated[
        int, Meta(ge=0, description="How many checks failed in all.")
    ] = 0
    cases_total: Annotated[
        int, Meta(ge=0, description="How many values failed in all.")
    ] = 0


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
    data: Annotated[
        DataFailure | None,
        Meta(
            description="What it says about data, where it is of a type that carries "
            "data values; they are left out of its message."
        ),
    ] = None
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
        """Whether it says that a pool of worker processes broke and ended them all."""
        return self.type.rpartition(".")[2] == "BrokenProcessPool"

    @property
    def is_unread_result(self) -> bool:
        """Whether a pool broke because a result or an exception was not unpickled.

        Exceptions whose `__init__` takes other arguments than `args` are of this kind.
        """
        return self.is_broken_pool and "_ForkingPickler.loads" in self.remote

    @property
    def is_dataset_error(self) -> bool:
        """Whether it is Kedro's error of a dataset, which wraps the one before it."""
        return self.type.rpartition(".")[2] == "DatasetError"

    def summary(self) -> str:
        """Return type and message in one line."""
        text = " ".join(self.message.split())
        return f"{self.type}: {text}" if text else self.type
