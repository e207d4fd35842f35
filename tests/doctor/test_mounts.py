"""The mount table: which mount a folder is on, and what its type means."""

from __future__ import annotations

from pathlib import Path

import pytest

from kedro_journal.doctor import mounts
from kedro_journal.doctor.mounts import Mount, choose, find_mount, kind_of, parse

TABLE = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
30 27 0:50 / /srv/my\040data rw shared:2 master:3 - nfs4 host:/export\040a rw,local_lock=none
31 27 0:51 / /srv rw - xfs /dev/vdb rw
32 31 0:52 / /srv rw - tmpfs upper rw,size=1024k
33 27 0:53 / /home/ünï rw - btrfs /dev/vdc rw
not a mount
40 27 0:60 / /short - ext4
"""


def mount(kind: str, *options: str) -> Mount:
    return Mount(1, "0:1", "/m", kind, "source", options)


def test_lines_that_do_not_read_are_left_out() -> None:
    assert [one.number for one in parse(TABLE)] == [22, 27, 30, 31, 32, 33]


def test_fields_are_told_apart_and_unescaped() -> None:
    found = parse(TABLE)[2]

    assert found.point == "/srv/my data"
    assert (found.type, found.source) == ("nfs4", "host:/export a")
    assert found.options == ("rw", "local_lock=none")


@pytest.mark.parametrize(
    ("folder", "number"),
    [
        ("/", 27),
        ("/srvother", 27),
        ("/srv/my data", 30),
        ("/srv/my data/deep", 30),
        ("/srv/my dataother", 32),
        ("/srv", 32),
        ("/home/ünï/x", 33),
    ],
)
def test_the_longest_mount_point_counts_and_the_last_of_its_equals(
    folder: str, number: int
) -> None:
    found = choose(parse(TABLE), folder)

    assert found is not None
    assert found.number == number


def test_what_the_kernel_says_counts_most() -> None:
    found = choose(parse(TABLE), "/srv/hidden", number=31)

    assert found is not None
    assert found.type == "xfs"
    assert choose([], "/") is None


def test_the_root_of_this_machine_is_found() -> None:
    found = find_mount(Path("/"))

    assert found is not None
    assert found.point == "/"


@pytest.mark.parametrize("kind", mounts._NETWORK)
def test_every_network_file_system_is_named_with_what_is_not_guaranteed(
    kind: str,
) -> None:
    assert kind_of(mount(kind)) == "network"
    (said,) = mounts.remarks(mount(kind))
    assert "lock" in said
    assert not said.endswith(".")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ext4", "local"),
        ("xfs", "local"),
        ("fuseblk", "local"),
        ("tmpfs", "memory"),
        ("overlay", "layered"),
        ("fuse.s3fs", "network"),
        ("fuse.gcsfuse", "network"),
        ("fuse.rclone", "network"),
        ("fuse.encfs", "userspace"),
        ("fuse", "userspace"),
        ("ext5", "unknown"),
    ],
)
def test_types_have_a_kind(kind: str, expected: str) -> None:
    assert kind_of(mount(kind)) == expected
    assert bool(mounts.remarks(mount(kind))) == (expected != "local")


@pytest.mark.parametrize(
    ("kind", "option", "words"),
    [
        ("nfs", "local_lock=all", "keeps locks on this machine"),
        ("nfs", "nolock", "keeps locks on this machine"),
        ("lustre", "localflock", "keeps locks on this machine"),
        ("cifs", "nobrl", "keeps locks on this machine"),
        ("ext4", "nobarrier", "does not wait for the disk's cache"),
        ("xfs", "nobarrier", "does not wait for the disk's cache"),
        ("ext4", "barrier=0", "does not wait for the disk's cache"),
    ],
)
def test_options_that_take_a_guarantee_away_are_named(
    kind: str, option: str, words: str
) -> None:
    said = mounts.remarks(mount(kind, "rw", option))

    assert any(option in one and words in one for one in said)
    assert not any(option in one for one in mounts.remarks(mount(kind, "rw")))
