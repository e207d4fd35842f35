"""What a session is to others: its group, its parent, its labels.

They come by argument, or by environment variables: an orchestrator gives the same group
to every task of one run. Arguments win. A mistake in an argument raises; one in the
environment is reported once and left out, because it must not stop a run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from kedro_journal.config import ENV_PREFIX
from kedro_journal.errors import InvalidSessionId
from kedro_journal.journal import check_session_id

__all__ = [
    "NO_IDENTITY",
    "Identity",
    "checked_identity",
    "group_carried",
    "identity_in_force",
]

GROUP_VARIABLE: Final = ENV_PREFIX + "GROUP_ID"
PARENT_VARIABLE: Final = ENV_PREFIX + "PARENT_SESSION_ID"
LABELS_VARIABLE: Final = ENV_PREFIX + "LABELS"

GROUP_ID_MAX_CHARS: Final = 256
LABELS_MAX: Final = 64
LABEL_NAME_MAX_CHARS: Final = 128
LABEL_VALUE_MAX_CHARS: Final = 1024
_SHOWN_CHARS: Final = 80
_logger: Final = logging.getLogger("kedro_journal")
_said: Final[set[str]] = set()


class Identity(NamedTuple):
    """What a session is to others.

    Attributes:
        group_id: Shared by the sessions that form one run.
        parent_session_id: The session that it belongs under.
        labels: Free labels.
    """

    group_id: str | None = None
    parent_session_id: str | None = None
    labels: Mapping[str, str] = {}


NO_IDENTITY: Final = Identity()


def checked_identity(
    group_id: object, parent_session_id: object, labels: object
) -> Identity:
    """Check what was given by argument; None for what was not.

    Raises:
        ValueError: One of them cannot be what it is to be; it says which, and why.
        TypeError: One of them has another type.
    """
    group = _text("group_id", group_id)
    if group is not None and (reason := _wrong_group(group)):
        message = f"group_id {_shown(group)} {reason}"
        raise ValueError(message)
    parent = _text("parent_session_id", parent_session_id)
    if parent is not None:
        try:
            check_session_id(parent)
        except InvalidSessionId as error:
            message = f"parent_session_id: {error}"
            raise ValueError(message) from None
    labels = {} if labels is None else labels
    if not isinstance(labels, Mapping):
        message = f"labels must be a mapping, not {type(labels).__name__}"
        raise TypeError(message)
    texts = {str(name): str(value) for name, value in labels.items()}
    for name, value in texts.items():
        if reason := _wrong_label(name, value):
            message = f"label {_shown(name)} {reason}"
            raise ValueError(message)
    if len(texts) > LABELS_MAX:
        message = f"{len(texts)} labels: there may be {LABELS_MAX}"
        raise ValueError(message)
    return Identity(group, parent, texts)


def _text(name: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    message = f"{name} must be a text, not {type(value).__name__}"
    raise TypeError(message)


def identity_in_force(
    given: Identity,
    redact: Callable[[str], str],
    environ: Mapping[str, str] | None = None,
) -> Identity:
    """Return the identity of a session: what was given, and over it the environment.

    Never raises. Group and parent are written as they are, so that what looks like a
    secret, or holds one, is left out like a mistake.

    Args:
        given: By argument, checked.
        redact: Masks secrets in a text.
        environ: Environment to read; None for this process's.
    """
    environ = os.environ if environ is None else environ
    group_id = given.group_id or _group(environ)
    parent = given.parent_session_id or _parent(environ)
    if group_id and redact(group_id) != group_id:
        _say("the group id looks like a secret: it is left out.")
        group_id = None
    if parent and redact(parent) != parent:
        _say("the parent id looks like a secret: it is left out.")
        parent = None
    labels = {**_labels(environ.get(LABELS_VARIABLE, "")), **given.labels}
    return Identity(group_id, parent, dict(list(labels.items())[-LABELS_MAX:]))


def group_carried(group_id: str | None) -> str | None:
    """Return the group of a session that goes on: another one's, or the environment's.

    Args:
        group_id: Of the session that is gone on from.
    """
    return _group(os.environ) or group_id


def _group(environ: Mapping[str, str]) -> str | None:
    text = environ.get(GROUP_VARIABLE, "").strip()
    reason = _wrong_group(text) if text else ""
    if reason:
        _say(f"{GROUP_VARIABLE}: {_shown(text)} {reason}. The session has no group.")
        return None
    return text or None


def _parent(environ: Mapping[str, str]) -> str | None:
    text = environ.get(PARENT_VARIABLE, "").strip()
    if not text:
        return None
    try:
        return check_session_id(text)
    except InvalidSessionId as error:
        _say(f"{PARENT_VARIABLE}: {error} The session has no parent.")
        return None


def _labels(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        reason = _wrong_label(name, value)
        if not sign:
            reason = "has no value: labels are written name=value,name=value"
        if not reason and len(found) >= LABELS_MAX:
            reason = f"is one too many: there may be {LABELS_MAX}"
        if reason:
            _say(f"{LABELS_VARIABLE}: {_shown(name)} {reason}. It is left out.")
        else:
            found[name] = value
    return found


def _wrong_group(text: str) -> str:
    if not text:
        return "is empty"
    if len(text) > GROUP_ID_MAX_CHARS:
        return f"is longer than {GROUP_ID_MAX_CHARS} characters"
    if not text.isprintable() or any(char.isspace() for char in text):
        return "holds blanks or characters that cannot be printed"
    return ""


def _wrong_label(name: str, value: str) -> str:
    if not name.strip():
        return "has no name"
    if len(name) > LABEL_NAME_MAX_CHARS:
        return f"has a name longer than {LABEL_NAME_MAX_CHARS} characters"
    if len(value) > LABEL_VALUE_MAX_CHARS:
        return f"has a value longer than {LABEL_VALUE_MAX_CHARS} characters"
    if not name.isprintable() or not value.isprintable():
        return "holds characters that cannot be printed"
    return ""


def _shown(text: str) -> str:
    return repr(text[:_SHOWN_CHARS] + ("..." if len(text) > _SHOWN_CHARS else ""))


def _say(message: str) -> None:
    if message not in _said:
        _said.add(message)
        _logger.warning("kedro-journal: %s", message)
