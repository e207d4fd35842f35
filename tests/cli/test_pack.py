"""pack: one file that every reading command opens, and none reads past damage in."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

import pytest

from kedro_journal.errors import JournalError, NotResumable
from kedro_journal.replaying import folder as folder_module
from kedro_journal.replaying import replay, sessions
from kedro_journal.session.resume.chain import find_chain

from .test_prune import OLD, resumed

LATER = "2026-11-20T06.00.00.000Z"


@pytest.fixture
def archive(call, journals, tmp_path):
    journals.failed(OLD)
    resumed(journals, LATER, OLD)
    journals.completed("2026-11-23T05.00.00.000Z")
    journals.let_go()
    (journals.path / LATER / "values").mkdir()
    (journals.path / LATER / "values" / ("a" * 64)).write_bytes(b"value")
    told = call("pack", LATER, "--directory", journals.path, "--json")
    data = json.loads(told.stdout)
    assert data["session_ids"] == [OLD, LATER]
    path = tmp_path / data["path"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size == data["size_bytes"]
    return path


def members(path) -> list[tuple[str, bytes]]:
    with tarfile.open(path) as tar:
        return [(one.name, tar.extractfile(one).read()) for one in tar]


def rewritten(path, changed) -> None:
    """Write an archive again, with other members."""
    with tarfile.open(path, "w:gz") as tar:
        for name, data in changed:
            one = tarfile.TarInfo(name)
            one.size = len(data)
            tar.addfile(one, io.BytesIO(data))


def test_every_reading_command_opens_an_archive(call, journals, archive):
    name = archive.name
    names = {one for one, _ in members(archive)}
    assert names == {
        "pack.json",
        f"{OLD}/journal.jsonl",
        f"{LATER}/journal.jsonl",
        f"{LATER}/values/{'a' * 64}",
    }
    for words in (
        ("show", name),
        ("show", name, "--chain"),
        ("show", name, "--timeline"),
        ("tail", name),
        ("replay", name),
        ("verify", name),
        ("verify", "--all", "--directory", name),
        ("why", name),
        ("diff", name),
        ("command", name),
        ("wait", name),
        ("report", name, "-o", "-"),
        ("list", "--directory", name),
        ("diff", OLD, LATER, "--directory", name),
        ("pack", name, "-o", "again.tar.gz"),
    ):
        result = call(*words)
        assert result.exit_code == 0, (words, result.stderr)
        assert result.stdout or result.stderr, words
    assert members("again.tar.gz") == members(archive)
    assert replay(name).session_id == LATER
    assert [one.session_id for one in sessions(directory=name)] == [LATER, OLD]
    original = (journals.path / LATER / "journal.jsonl").read_bytes()
    assert dict(members(archive))[f"{LATER}/journal.jsonl"] == original


def test_a_crash_is_known_on_another_machine(call, journals, monkeypatch):
    path = journals.crashed()
    call("pack", path.parent.name, "--directory", journals.path, "-o", "x.tar.gz")
    monkeypatch.setattr(folder_module, "probe", lambda *_: "unknown")

    there = json.loads(call("show", "./x.tar.gz", "--json").stdout)

    assert there["verdict"] == "crashed"


def test_a_session_that_runs_is_not_packed(call, journals, tmp_path):
    journals.running()
    result = call("pack", "latest", "--directory", journals.path, "-o", "x.tar.gz")

    assert result.exit_code == 1
    assert "runs. Pack it once it has ended" in result.stderr
    assert not (tmp_path / "x.tar.gz").exists()
    assert not list(tmp_path.glob(".pack-*"))


def test_an_archive_is_neither_changed_nor_resumed(call, archive):
    pruned = call("prune", "--keep", 0, "--directory", archive)
    assert pruned.exit_code == 2
    assert "only read" in pruned.stderr
    with pytest.raises(NotResumable, match="in an archive"):
        find_chain(str(archive))


def test_damage_is_refused_whole(call, archive):
    good = members(archive)

    def refused(what: str) -> None:
        for words in (("show", f"./{archive.name}"), ("list", "--directory", archive)):
            result = call(*words)
            assert result.exit_code == 4, (what, result.stdout, result.stderr)
            assert what in result.stderr
            assert result.stdout == ""

    rewritten(archive, [(n, d.replace(b"split", b"splat")) for n, d in good])
    refused("its hash differs")
    rewritten(archive, [(n, d + b"\n" if "values" in n else d) for n, d in good])
    refused("its hash differs")
    rewritten(archive, good[:-1])
    refused("it lacks")
    rewritten(archive, [*good, ("../evil", b"x")])
    refused("which it does not name")
    rewritten(archive, good[1:])
    refused("not an archive of sessions")
    manifest = json.loads(good[0][1])
    for evil in ("../x", f"{LATER}/../../x", "/etc/x", f"{LATER}/.hidden", "other/x"):
        files = [*manifest["files"], {"path": evil, "size": 1, "sha256": ""}]
        packed = json.dumps({**manifest, "files": files}).encode()
        rewritten(archive, [("pack.json", packed), *good[1:], (evil, b"x")])
        refused("is not a file of a session")
    newer = json.dumps({**manifest, "form": "kedro-journal pack 2"}).encode()
    rewritten(archive, [("pack.json", newer), *good[1:]])
    refused("this version reads")
    archive.write_bytes(gzip.compress(b"not a tar"))
    refused("the archive is damaged")
    rewritten(archive, good)
    archive.write_bytes(archive.read_bytes()[:-40])
    refused("Nothing of it was read")


def test_an_archive_that_cannot_be_written_leaves_nothing(call, archive):
    (archive.parent / "other.txt").write_text("x")
    other = call("list", "--directory", archive.parent / "other.txt")
    assert other.exit_code == 2
    assert "neither a journal directory nor an archive" in other.stderr
    result = call("pack", archive.name, "-o", "no/such/folder.tar.gz")

    assert result.exit_code == 1
    assert "No such file" in result.stderr
    with pytest.raises(JournalError):
        replay("no/such/folder.tar.gz")
