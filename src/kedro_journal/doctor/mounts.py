"""Which file system a folder is on, and what that means for a journal.

The mount table is text, so everything here but `find_mount` is pure.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

__all__ = ["Kind", "Mount", "choose", "find_mount", "kind_of", "parse", "remarks"]

Kind = Literal["local", "network", "memory", "layered", "userspace", "unknown"]

_OCTAL: Final = re.compile(r"\\([0-7]{3})")

_LOCAL: Final = re.compile(
    r"ext[234]|xfs|btrfs|zfs|f2fs|bcachefs|jfs|reiserfs|nilfs2|ubifs|apfs|hfs(plus)?"
    r"|ufs|ntfs3?|fuseblk|vfat|exfat|msdos|udf|squashfs|erofs|iso9660"
)
_MEMORY: Final = frozenset(("tmpfs", "ramfs", "devtmpfs", "rootfs"))
_LAYERED: Final = frozenset(("overlay", "overlayfs", "aufs", "fuse.fuse-overlayfs"))
_MODELESS: Final = frozenset(("vfat", "exfat", "msdos"))

_SHARED: Final = (
    "appends of several hosts can overwrite each other, and locks of other hosts may "
    "be invisible"
)
_NETWORK: Final[Mapping[str, str]] = {
    "nfs": f"{_SHARED}; write errors may appear only at fsync",
    "nfs4": f"{_SHARED}; write errors may appear only at fsync",
    "cifs": f"{_SHARED}; file modes may be invented by the mount",
    "smb3": f"{_SHARED}; file modes may be invented by the mount",
    "smbfs": f"{_SHARED}; file modes may be invented by the mount",
    "fuse.sshfs": "locks stay on this machine, appends are made of plain writes, and "
    "fsync reaches the disk only if the server can",
    "9p": f"{_SHARED}; the server decides what syncs and locks do",
    "virtiofs": "locks may stay inside this virtual machine, and the host decides "
    "what a sync does",
    "vboxsf": "locks stay inside this virtual machine, and a sync may do nothing",
    "fuse.vmhgfs-fuse": "locks stay inside this virtual machine, and a sync may do "
    "nothing",
    "lustre": f"{_SHARED}; locks work only with the mount option flock",
    "ceph": _SHARED,
    "fuse.ceph": _SHARED,
    "glusterfs": _SHARED,
    "fuse.glusterfs": _SHARED,
    "beegfs": f"{_SHARED}; locks between hosts are off unless the client has them on",
    "gpfs": _SHARED,
    "gfs2": _SHARED,
    "ocfs2": _SHARED,
    "afs": f"{_SHARED}; data reaches the server when the file is closed",
    "pvfs2": f"{_SHARED}; there are no locks",
    "orangefs": f"{_SHARED}; there are no locks",
    "panfs": _SHARED,
    "davfs": f"{_SHARED}; data reaches the server when the file is closed",
    "fuse.davfs": f"{_SHARED}; data reaches the server when the file is closed",
}
_OBJECT_STORES: Final = re.compile(
    r"fuse\.(s3fs|gcsfuse|goofys|rclone|blobfuse2?|mount-s3|geesefs|juicefs|ossfs)"
)
_OBJECTS: Final = (
    "an object store has no appends, locks or syncs of its own: the mount emulates "
    "them on this machine at best, and data reaches the store when the file is closed"
)
# Options with which a mount does less than its type could.
_LOCAL_LOCKS: Final = frozenset(
    ("nolock", "local_lock=all", "local_lock=flock", "localflock", "nobrl", "noflock")
)
_NO_BARRIERS: Final = frozenset(
    ("nobarrier", "barrier=0", "barrier=none", "fsync_mode=nobarrier")
)


class Mount(NamedTuple):
    """One mounted file system.

    Attributes:
        number: Its number in the mount table; 0 if unknown.
        device: `major:minor`.
        point: Where it is mounted.
        type: Its type, such as `ext4`.
        source: What is mounted, such as a device or `server:/export`.
        options: Options of the mount and of the file system.
    """

    number: int
    device: str
    point: str
    type: str
    source: str
    options: tuple[str, ...]


def parse(table: str) -> list[Mount]:
    """Read the text of /proc/self/mountinfo; lines that do not read are left out."""
    mounts: list[Mount] = []
    for line in table.splitlines():
        head, separator, tail = line.partition(" - ")
        fields, rest = head.split(" "), tail.split(" ")
        if not separator or len(fields) < 6 or len(rest) < 2 or not fields[0].isdigit():
            continue
        options = f"{fields[5]},{rest[2] if len(rest) > 2 else ''}".split(",")
        mounts.append(
            Mount(
                number=int(fields[0]),
                device=fields[2],
                point=_unescape(fields[4]),
                type=_unescape(rest[0]),
                source=_unescape(rest[1]),
                options=tuple(dict.fromkeys(option for option in options if option)),
            )
        )
    return mounts


def _unescape(text: str) -> str:
    return _OCTAL.sub(lambda code: chr(int(code[1], 8)), text)


def choose(mounts: list[Mount], folder: str, number: int = 0) -> Mount | None:
    """Find the mount that a folder is on.

    Args:
        mounts: The mount table, in its order.
        folder: The folder, without symbolic links.
        number: The number of its mount, if the kernel told it.
    """
    for mount in mounts:
        if number and mount.number == number:
            return mount
    found: Mount | None = None
    for mount in mounts:  # of two at one place the later one is on top
        inside = folder == mount.point or folder.startswith(
            mount.point.rstrip("/") + "/"
        )
        if inside and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def find_mount(folder: Path, proc: Path = Path("/proc")) -> Mount | None:
    """Find the mount that a folder is on; None where the system does not tell."""
    try:
        table = (proc / "self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    return choose(parse(table), os.path.realpath(folder), _mount_number(folder, proc))


def _mount_number(folder: Path, proc: Path) -> int:
    try:
        fd = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return 0
    try:
        text = (proc / f"self/fdinfo/{fd}").read_text("utf-8", "replace")
    except OSError:
        return 0
    finally:
        os.close(fd)
    found = re.search(r"^mnt_id:\s*(\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else 0


def kind_of(mount: Mount) -> Kind:
    """Return what kind of file system it is."""
    kind = mount.type
    if kind in _NETWORK or _OBJECT_STORES.match(kind):
        return "network"
    if kind in _MEMORY:
        return "memory"
    if kind in _LAYERED:
        return "layered"
    if _LOCAL.fullmatch(kind):
        return "local"
    return "userspace" if kind.startswith("fuse") else "unknown"


def remarks(mount: Mount) -> list[str]:
    """Return what is not guaranteed there, as main clauses without a full stop."""
    found: list[str] = []
    kind = kind_of(mount)
    options = set(mount.options)
    if kind == "network":
        found.append(_NETWORK.get(mount.type, _OBJECTS))
        found += [
            f"the mount option {option} keeps locks on this machine"
            for option in sorted(options & _LOCAL_LOCKS)
        ]
    elif kind == "memory":
        found.append("everything in it is lost at a reboot or unmount")
    elif kind == "layered":
        found.append("it is deleted with the container")
    elif kind == "userspace":
        found.append("a program in user space decides what appends, locks and syncs do")
    elif kind == "unknown":
        found.append("this type is unknown: rely on the probes only")
    found += [
        f"with the mount option {option} a sync does not wait for the disk's cache"
        for option in sorted(options & _NO_BARRIERS)
    ]
    if mount.type in _MODELESS:
        found.append("it stores no file modes: the mount decides who may read journals")
    return found
