"""The configuration source of a session: recorded once, used again by a later one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kedro_journal._outside import let_through
from kedro_journal.errors import NotResumable
from kedro_journal.redaction.limits import REDACTED

if TYPE_CHECKING:
    from kedro_journal.session.resume.chain import Chain
    from kedro_journal.state import SessionState

__all__ = ["absolute_source", "conf_source_of"]


def absolute_source(source: object) -> str | None:
    """Return a configuration source so that it means the same in any folder.

    Args:
        source: Folder, archive or URL; None if there is none.
    """
    if source is None or not str(source):
        return None
    text = str(source)
    if "://" in text or Path(text).is_absolute():
        return text
    try:
        return str(Path.cwd() / text)
    except OSError as error:  # the working directory was deleted
        let_through(error)
        return text


def conf_source_of(
    chain: Chain, state: SessionState, given: Path | str | None
) -> str | None:
    """Return the configuration source for a session that resumes or repeats another.

    A source inside a project that was moved or copied since is the one inside the
    project as it is now.

    Args:
        chain: The sessions, and the project as it is now.
        state: The session whose source is used again.
        given: Another source, which wins.

    Raises:
        NotResumable: The source is a secret, which is not recorded, or it is gone.
    """
    advice = "Give it with --conf-source."
    if given is not None:
        text = absolute_source(given)
    elif not state.conf_source:
        return None
    elif REDACTED in state.conf_source:
        reason = "its configuration source holds a secret, and is not recorded"
        raise NotResumable(state.session_id, reason, advice)
    else:
        text = _moved(state.conf_source, state.project_path, chain.project)
    if text is None or _exists(text) or _was_missing(text, state):
        return text
    reason = f"its configuration, {text}, is not there"
    advice = "Put it back, or give another with --conf-source."
    raise NotResumable(state.session_id, reason, advice)


def _moved(text: str, recorded: str, project: Path) -> str:
    if "://" in text or not recorded:
        return text
    source, root = Path(text), Path(recorded)
    if not source.is_relative_to(root):
        return text
    return str(project.resolve() / source.relative_to(root))


def _was_missing(text: str, state: SessionState) -> bool:
    """Return whether there was no configuration folder in the original either."""
    context = state.context
    read = context is None or bool(context.config_sources)
    return not read and "://" not in text and not Path(text).suffix


def _exists(text: str) -> bool:
    """Return whether a source exists; a place that does not answer may have it."""
    try:
        if "://" not in text:
            return Path(text).exists()
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        files, path = url_to_fs(text)
        return bool(files.exists(path))
    except Exception as error:  # a foreign file system
        let_through(error)
        return True
