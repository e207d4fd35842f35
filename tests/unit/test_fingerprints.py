"""The fingerprint of every kind of dataset: it changes with the data, or is unknown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

pytest.importorskip("kedro")
pytest.importorskip("kedro_datasets")

import fsspec
from fsspec.implementations.memory import MemoryFileSystem
from kedro.io import (
    AbstractDataset,
    CachedDataset,
    DataCatalog,
    MemoryDataset,
    Version,
)
from kedro_datasets.json import JSONDataset
from kedro_datasets.partitions import IncrementalDataset, PartitionedDataset
from kedro_datasets.text import TextDataset

from kedro_journal.capture import compat, fingerprints
from kedro_journal.capture.fingerprints import FingerprintReader, Remote
from kedro_journal.events import Fingerprint


def reader(remote: Remote = "files", **more: Any) -> FingerprintReader:
    return FingerprintReader(lambda: remote, **more)


def read(dataset: Any, version: str | None = None) -> Fingerprint:
    return reader().read(dataset, version)


def folder_of(path: Path) -> Path:
    for name in ("a.txt", "b.txt", "deep/c.txt"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(name)
    return path


@pytest.fixture(autouse=True)
def _no_files_in_memory() -> Iterator[None]:
    yield
    MemoryFileSystem.store.clear()


# -- files -----------------------------------------------------------------------------


def test_a_file_has_location_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[1]")
    os.utime(path, ns=(0, 1_234_567_891_234_567_000))
    found = read(JSONDataset(filepath=str(path)))
    assert Fingerprint(str(path), 3, 1_234_567_891_234_567) == found
    assert found.is_known


def test_a_file_that_is_not_there_has_its_location_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "a.json")
    found = read(JSONDataset(filepath=path))
    assert Fingerprint(path) == found
    assert not found.is_known


def test_a_version_is_looked_at_where_it_is(tmp_path: Path) -> None:
    path = str(tmp_path / "a.json")
    dataset = JSONDataset(filepath=path, version=Version(None, "v1"))
    dataset.save([1, 2])
    found = read(dataset, "v1")
    assert f"{path}/v1/a.json" == found.path
    assert found.size_bytes == Path(str(found.path)).stat().st_size


def test_wrappers_are_looked_through(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[1]")
    inner = JSONDataset(filepath=str(path))
    found = read(CachedDataset(CachedDataset(inner)))
    assert read(inner) == found
    assert found.is_known


def test_a_file_url_is_a_local_path(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[1]")
    assert str(path) == read(JSONDataset(filepath=f"file://{path}")).path


class Odd(AbstractDataset):  # type: ignore[type-arg]
    """A dataset that keeps its location as another one keeps something else."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def _describe(self) -> dict[str, Any]:
        return {}

    def load(self) -> None: ...

    def save(self, data: object) -> None: ...


class SQLQueryDataset(Odd):
    """As that of kedro-datasets, which needs a package for databases."""


@pytest.mark.parametrize(
    "dataset",
    [
        MemoryDataset(data=1),
        CachedDataset(MemoryDataset(data=1)),
        Odd(_load_func=lambda: 1),
        Odd(),
        Odd(_path=7),
        Odd(_dataset="a name"),
        object(),
    ],
    ids=lambda dataset: type(dataset).__name__,
)
def test_data_without_a_location_has_no_fingerprint(dataset: Any) -> None:
    assert Fingerprint() == read(dataset)
    assert not Fingerprint().is_known


def test_the_file_of_a_query_is_not_its_data(tmp_path: Path) -> None:
    path = tmp_path / "q.sql"
    path.write_text("select 1")
    assert Fingerprint() == read(SQLQueryDataset(_filepath=path, _protocol="file"))


# -- folders ---------------------------------------------------------------------------

Change = Callable[[Path], object]


def edited(path: Path) -> None:
    """Change a partition but not its size, within the same second."""
    before = (path / "a.txt").stat()
    (path / "a.txt").write_text("A.TXT")
    os.utime(path / "a.txt", ns=(0, before.st_mtime_ns + 1000))


CHANGES: dict[str, Change] = {
    "edited": edited,
    "deleted": lambda path: (path / "b.txt").unlink(),
    "added": lambda path: (path / "d.txt").write_text("d"),
    "renamed": lambda path: (path / "b.txt").rename(path / "bb.txt"),
    "moved": lambda path: (path / "b.txt").rename(path / "deep/b.txt"),
    "deep": lambda path: (path / "deep/c.txt").write_text("other"),
}


def partitioned(path: str | Path, **more: Any) -> PartitionedDataset:
    return PartitionedDataset(
        path=str(path), dataset=TextDataset, filename_suffix=".txt", **more
    )


KINDS: dict[str, Callable[[Path], Any]] = {
    "partitioned": partitioned,
    "incremental": lambda path: IncrementalDataset(
        path=str(path), dataset=TextDataset, filename_suffix=".txt"
    ),
    "filepath": lambda path: TextDataset(filepath=str(path)),
    "spark": lambda path: Odd(_filepath=path, _protocol="file"),
    "cached": lambda path: CachedDataset(partitioned(path)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_any_change_in_a_folder_shows(tmp_path: Path, kind: str, change: str) -> None:
    path = folder_of(tmp_path / "parts")
    before = read(KINDS[kind](path))
    assert (str(path), 3, 5 + 5 + 10) == (
        before.path,
        before.entries,
        before.size_bytes,
    )
    assert before.is_known
    assert read(KINDS[kind](path)) == before
    newest = max(file.stat().st_mtime_ns for file in path.rglob("*.txt")) // 1000
    assert newest == before.modified_us

    CHANGES[change](path)

    after = read(KINDS[kind](path))
    assert after.is_known
    assert before.same_data(after) is False


def test_a_folder_looks_the_same_wherever_it_is(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "one")
    before = read(partitioned(path))
    path.rename(tmp_path / "two")
    after = read(partitioned(tmp_path / "two"))
    assert before.path != after.path
    assert before.same_data(after) is True


def test_the_checkpoint_of_an_incremental_dataset_is_no_data_of_it(
    tmp_path: Path,
) -> None:
    path = folder_of(tmp_path / "parts")
    dataset = IncrementalDataset(path=str(path), dataset=TextDataset)
    before = read(dataset)
    dataset.load()
    dataset.confirm()
    assert (path / "CHECKPOINT").exists()
    assert read(dataset) == before


def test_files_that_a_partitioned_dataset_does_not_load_are_not_looked_at(
    tmp_path: Path,
) -> None:
    path = folder_of(tmp_path / "parts")
    before = read(partitioned(path))
    (path / ".DS_Store").write_text("x")
    assert read(partitioned(path)) == before


def test_an_empty_folder_is_known(tmp_path: Path) -> None:
    before = read(partitioned(tmp_path))
    assert (0, 0, None) == (before.entries, before.size_bytes, before.modified_us)
    (tmp_path / "a.txt").write_text("")
    assert before.same_data(read(partitioned(tmp_path))) is False


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "parts")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x.txt").write_text("x")
    (path / "link").symlink_to(elsewhere)
    (path / "circle").symlink_to(path)
    (path / "gone.txt").symlink_to(tmp_path / "nothing")
    before = read(partitioned(path))
    assert before.is_known
    (elsewhere / "x.txt").write_text("xx")
    assert before.same_data(read(partitioned(path))) is False


def test_a_folder_that_is_too_large_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder_of(tmp_path / "parts")
    monkeypatch.setattr(fingerprints, "ENTRIES_MAX", 3)
    assert read(partitioned(path)).is_known
    monkeypatch.setattr(fingerprints, "ENTRIES_MAX", 2)
    assert Fingerprint(str(path)) == read(partitioned(path))


def test_a_folder_that_takes_too_long_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder_of(tmp_path / "parts")
    monkeypatch.setattr(fingerprints, "_CLOCK_EVERY", 1)
    found = reader(listing_max_s=-1.0).read(partitioned(path), None)
    assert Fingerprint(str(path)) == found


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "parts")
    (path / "deep").chmod(0)
    try:
        assert Fingerprint(str(path)) == read(partitioned(path))
    finally:
        (path / "deep").chmod(0o700)


# -- file systems of fsspec ------------------------------------------------------------


def test_a_file_in_memory_has_size_and_time() -> None:
    dataset = JSONDataset(filepath="memory:///data/a.json")
    dataset.save([1])
    before = read(dataset)
    assert "memory:///data/a.json" == before.path
    assert 7 == before.size_bytes
    assert before.is_known
    assert read(dataset) == before
    dataset.save([2])
    assert before.same_data(read(dataset)) is False


def test_a_folder_in_memory_is_listed() -> None:
    dataset = partitioned("memory://parts")
    dataset.save({"a": "1", "b": "2"})
    before = read(dataset)
    assert (2, 2) == (before.entries, before.size_bytes)
    assert read(dataset) == before
    dataset.save({"b": "3"})
    assert before.same_data(read(dataset)) is False


class Bucket(MemoryFileSystem):
    """An object store, as far as its answers go."""

    protocol = "bucket"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    calls: ClassVar[list[str]] = []

    def info(self, path: str, **more: Any) -> Any:
        type(self).calls.append(path)
        found = dict(super().info(path, **more))
        if found["type"] == "file":
            found.pop("created")
            found["LastModified"] = datetime(2026, 1, 2, tzinfo=UTC)
            found["ETag"] = f'"{hash(bytes(self.store[found["name"]].getbuffer()))}"'
        return found

    def find(self, path: str, *args: Any, **more: Any) -> Any:
        type(self).calls.append("find")
        names = super().find(path, *args, **{**more, "detail": False})
        return {n: self.info(n) for n in names} if more.get("detail") else names


@pytest.fixture
def bucket() -> Iterator[type[Bucket]]:
    fsspec.register_implementation("bucket", Bucket, clobber=True)
    yield Bucket
    Bucket.store.clear()
    Bucket.calls.clear()


def test_a_file_of_an_object_store_has_its_tag(bucket: type[Bucket]) -> None:
    dataset = JSONDataset(filepath="bucket:///data/a.json")
    dataset.save([1])
    bucket.calls.clear()
    before = read(dataset)
    assert 1 == len(bucket.calls)
    assert ("bucket:///data/a.json", 7) == (before.path, before.size_bytes)
    assert before.modified_us == 1_767_312_000_000_000
    assert before.etag
    assert '"' not in before.etag
    dataset.save([2])
    assert before.same_data(read(dataset)) is False


def test_remote_file_systems_are_asked_as_the_settings_say(
    bucket: type[Bucket],
) -> None:
    file = JSONDataset(filepath="bucket:///data/a.json")
    file.save([1])
    folder = partitioned("bucket://parts")
    folder.save({"a": "1"})
    for remote, known in (
        ("off", [False, False]),
        ("files", [True, False]),
        ("folders", [True, True]),
    ):
        bucket.calls.clear()
        found = [reader(remote).read(one, None) for one in (file, folder)]  # type: ignore[arg-type]
        assert known == [one.is_known for one in found], remote
        assert ["bucket:///data/a.json", "bucket://parts"] == [f.path for f in found]
        assert bool(bucket.calls) == any(known)


def test_a_slow_file_system_is_not_asked_again(
    bucket: type[Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = JSONDataset(filepath="bucket:///data/a.json")
    dataset.save([1])
    monkeypatch.setattr(fingerprints, "_REMOTE_MAX_S", -1.0)
    one = reader()
    assert one.read(dataset, None).is_known
    bucket.calls.clear()
    assert Fingerprint("bucket:///data/a.json") == one.read(dataset, None)
    assert [] == bucket.calls


def test_a_file_system_that_fails_makes_the_data_unknown(
    bucket: type[Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = JSONDataset(filepath="bucket:///data/a.json")

    def refuse(*_: object, **__: object) -> object:
        raise PermissionError("no")

    monkeypatch.setattr(bucket, "info", refuse)
    assert Fingerprint("bucket:///data/a.json") == read(dataset)


def test_entries_of_a_catalog_are_read_whatever_their_names(tmp_path: Path) -> None:
    entry = {"type": "json.JSONDataset", "filepath": f"{tmp_path}/{{name}}.json"}
    catalog = DataCatalog.from_config({"{name}@pandas": entry, "{name}@spark": entry})
    (tmp_path / "rows.json").write_text("[1]")
    found = [read(catalog.get(f"rows@{kind}")) for kind in ("pandas", "spark")]
    assert found[0] == found[1]
    assert found[0].is_known


# -- contents --------------------------------------------------------------------------


def test_the_content_of_small_data_is_known_again_in_a_copy(tmp_path: Path) -> None:
    file, folder = tmp_path / "a.json", folder_of(tmp_path / "days")
    file.write_text("[1]")
    datasets = [
        JSONDataset(filepath=str(file)),
        PartitionedDataset(path=str(folder), dataset="text.TextDataset"),
    ]
    with_content = reader(content_max=100)
    before = [with_content.read(one, None) for one in datasets]
    for path in (file, *folder.rglob("*.txt")):
        os.utime(path, (1, 1))
    after = [with_content.read(one, None) for one in datasets]

    assert [one.same_data(two) for one, two in zip(before, after, strict=True)] == [
        True,
        True,
    ]
    file.write_text("[2]")
    (folder / "a.txt").write_text("A.txt")
    for path in (file, folder / "a.txt"):
        os.utime(path, (1, 1))
    changed = [with_content.read(one, None) for one in datasets]
    assert [one.same_data(two) for one, two in zip(after, changed, strict=True)] == [
        False,
        False,
    ]


def test_content_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    dataset = JSONDataset(filepath=str(path))
    path.write_text("[1]")
    assert reader().read(dataset, None).content_sha256 is None
    assert reader(content_max=2).read(dataset, None).content_sha256 is None
    assert reader(content_max=3).read(dataset, None).content_sha256 is not None


def test_a_fifo_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    os.mkfifo(path)
    found = reader(content_max=100).read(JSONDataset(filepath=str(path)), None)
    assert found.content_sha256 is None


@pytest.mark.parametrize(
    ("attributes", "appends"),
    [
        ({"_save_args": {"mode": "a"}}, True),
        ({"_save_args": {"if_exists": "append"}}, True),
        ({"_save_args": {"writer_args": {"mode": "a"}}}, True),
        ({"_writer_args": {"mode": "a"}}, True),
        ({"_fs_open_args_save": {"mode": "ab"}}, True),
        ({"_save_args": {"if_exists": "replace"}}, False),
        ({"_fs_open_args_save": {"mode": "w"}, "_save_args": None}, False),
        ({}, False),
    ],
)
def test_a_save_that_appends_is_known(
    attributes: dict[str, Any], appends: bool
) -> None:
    assert compat.appends(Odd(**attributes)) is appends


def test_a_checkpoint_of_this_machine_is_known(tmp_path: Path) -> None:
    plain = IncrementalDataset(path=str(tmp_path), dataset="text.TextDataset")
    assert compat.checkpoint_path(plain) == (True, str(tmp_path / "CHECKPOINT"))
    forced = IncrementalDataset(
        path=str(tmp_path), dataset="text.TextDataset", checkpoint="b"
    )
    assert compat.checkpoint_path(forced) == (True, "")
    assert compat.checkpoint_path(Odd()) == (False, "")
