"""How the data of two loads, or two saves, differs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kedro_journal._instant import EPOCH
from kedro_journal.state.model import DatasetOperation, SessionState

from .places import placed, same_place

__all__ = ["differing_data", "differing_place", "moment_text", "size_text"]


def differing_place(
    state_was: SessionState,
    was: DatasetOperation,
    state_now: SessionState,
    now: DatasetOperation,
) -> Iterator[str]:
    """Yield how the location and the version of two loads differ, in words."""
    if was.version != now.version and (was.version or now.version):
        yield f"version {now.version or 'none'}, was {was.version or 'none'}"
        return  # the path of a version has the version in it
    if not was.path or not now.path:
        return
    before = placed(was.path, project=state_was.project_path, cwd=state_was.cwd)
    here = placed(now.path, project=state_now.project_path, cwd=state_now.cwd)
    if before and here and not same_place(before, here):
        yield f"loaded from {here}, was from {before}"


def differing_data(
    was: DatasetOperation, now: DatasetOperation, *, times: bool = True
) -> Iterator[str]:
    """Yield how the data of two operations differs, in words; nothing if it does not.

    Args:
        was, now: Two loads, or two saves, of a dataset.
        times: Count another time as a difference. Two saves always have different ones.
    """
    one, other = was.fingerprint, now.fingerprint
    hashed = bool(one.content_sha256 and other.content_sha256)
    if (times or hashed) and one.same_data(other) is not False:
        return
    found = False
    if None not in (was.entries, now.entries) and was.entries != now.entries:
        yield f"{now.entries} files, was {was.entries}"
        found = True
    if None not in (was.size_bytes, now.size_bytes):
        if was.size_bytes != now.size_bytes:
            yield f"{size_text(now.size_bytes)}, was {size_text(was.size_bytes)}"
            found = True
        elif (times or hashed) and not found:
            yield "other content of the same size"
            found = True
    if times and now.modified_us is not None and now.modified_us != was.modified_us:
        yield f"written {moment_text(now.modified_us)}"
        found = True
    if times and not found:
        yield "other content"


def size_text(size: int | None) -> str:
    """Return a size in bytes as digits in groups of three; `unknown` for None."""
    if size is None:
        return "unknown"
    return f"{size:,} byte{'' if size == 1 else 's'}".replace(",", " ")


def moment_text(microseconds: int) -> str:
    """Return a time since 1970 as UTC, to the second."""
    try:
        at = EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return f"{microseconds} us after 1970"
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
