"""What code is made of is hashed: the same in every process, another for a change."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from kedro_journal.capture import sources
from kedro_journal.capture.sources import arguments_sha256, package_sources
from kedro_journal.redaction import Redactor


def work(*args: Any, **kwargs: Any) -> None:
    """A node's function."""


def digest(*args: Any, **kwargs: Any) -> str:
    redactor = Redactor()
    return arguments_sha256(functools.partial(work, *args, **kwargs), redactor.plain)


class TestArguments:
    def test_without_a_partial_there_is_none(self) -> None:
        assert arguments_sha256(work, Redactor().plain) == ""

    def test_plain_values_count(self) -> None:
        found = [
            digest(1), digest(2), digest(1.5), digest(True), digest(None), digest("1"),
            digest([1]), digest({"a": 1}), digest(a=1), digest(a=[1, {"b": (2,)}]),
            digest(a=[1, {"b": (3,)}]),
        ]  # fmt: skip
        assert len(set(found)) == len(found)
        assert digest(a=1, b=2) == digest(b=2, a=1)

    def test_an_inner_partial_counts(self) -> None:
        class Own(functools.partial):  # type: ignore[type-arg]
            """Partials of partials are one, of others are not."""

        def of(number: int) -> str:
            inner = Own(functools.partial(work, number), a=1)
            return arguments_sha256(functools.partial(inner, b=2), Redactor().plain)

        assert of(1) != of(2)

    def test_of_other_objects_only_the_type(self) -> None:
        assert digest(object()) == digest(object()) != digest(Redactor())
        assert digest(work) != digest(digest)

    def test_a_secret_counts_by_a_keyed_digest(self) -> None:
        assert digest(api_token="hunter22") == digest(api_token="hunter22")
        assert digest(api_token="hunter22") != digest(api_token="hunter23")
        assert digest(api_token="hunter22") != digest(api_taken="hunter22")

    def test_what_holds_itself_ends(self) -> None:
        ring: list[Any] = []
        ring.append(ring)
        assert digest(ring) == digest(ring)


class TestPackage:
    @pytest.fixture
    def package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.syspath_prepend(tmp_path)
        folder = tmp_path / "hashed_package"
        (folder / "deep").mkdir(parents=True)
        (folder / "__init__.py").write_text("raise ImportError")
        (folder / "deep/helper.py").write_text("one = 1")
        return folder

    def test_a_changed_added_or_renamed_file_is_another_package(
        self, package: Path
    ) -> None:
        found = [package_sources("hashed_package").sha256]
        (package / "deep/helper.py").write_text("one = 2")
        found.append(package_sources("hashed_package").sha256)
        (package / "deep/more.py").touch()
        found.append(package_sources("hashed_package").sha256)
        (package / "deep/more.py").rename(package / "more.py")
        found.append(package_sources("hashed_package").sha256)
        assert "" not in found
        assert len(set(found)) == 4

    def test_what_python_and_editors_leave_is_none(self, package: Path) -> None:
        before = package_sources("hashed_package").sha256
        (package / "__pycache__").mkdir()
        (package / "__pycache__/helper.py").touch()
        (package / ".ipynb_checkpoints").mkdir()
        (package / ".ipynb_checkpoints/helper.py").touch()
        (package / "notes.txt").touch()
        (package / "gone.py").symlink_to("nowhere")
        assert package_sources("hashed_package").sha256 == before

    def test_too_many_or_too_large_ones_are_not_told(
        self, package: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sources, "FILES_MAX", 1)
        assert package_sources("hashed_package").sha256 == ""
        monkeypatch.undo()
        with (package / "large.py").open("wb") as file:
            file.truncate(sources.BYTES_MAX)
        assert package_sources("hashed_package").sha256 == ""

    def test_each_file_has_a_hash_unless_there_are_too_many(
        self, package: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = package_sources("hashed_package").files
        assert list(before) == ["__init__.py", "deep/helper.py"]
        (package / "deep/helper.py").write_text("one = 2")
        after = package_sources("hashed_package").files
        assert [after[name] == digest for name, digest in before.items()] == [
            True, False,
        ]  # fmt: skip
        assert {len(digest) for digest in after.values()} == {16}
        monkeypatch.setattr(sources, "LISTED_MAX", 1)
        found = package_sources("hashed_package")
        assert (found.files, found.sha256 != "") == ({}, True)

    def test_no_package_has_none(self) -> None:
        assert (
            package_sources(None).sha256
            == package_sources("no_such_package").sha256
            == ""
        )
