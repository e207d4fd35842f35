"""The project's datasets: plain files, read and written with the standard library.

All of them can be pickled, which is what ParallelRunner asks of a dataset.
"""

import csv
import json
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, AbstractVersionedDataset
from kedro.io.core import Version

from .table import Table

_CELL_TYPES = {"int": int, "float": float, "str": str}


class CSVTableDataset(AbstractDataset[Table, Table]):
    """A CSV file with a header line, loaded as a ``Table``.

    Cells are text, unless ``types`` names their column. In a typed column an empty
    cell is ``None``, and ``None`` is written as an empty cell.
    """

    def __init__(self, *, filepath: str, types: dict[str, str] | None = None) -> None:
        self._filepath = PurePosixPath(filepath)
        self._types = dict(types or {})
        unknown = sorted(set(self._types.values()) - set(_CELL_TYPES))
        if unknown:
            raise ValueError(
                f"Unknown column types {unknown}: use one of {sorted(_CELL_TYPES)}."
            )

    def load(self) -> Table:
        with open(self._filepath, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or [])
            rows = [dict(row) for row in reader]
        for name, type_name in self._types.items():
            convert = _CELL_TYPES[type_name]
            for row in rows:
                row[name] = None if row[name] == "" else convert(row[name])
        return Table(columns, rows)

    def save(self, data: Table) -> None:
        Path(self._filepath).parent.mkdir(parents=True, exist_ok=True)
        with open(self._filepath, "w", encoding="utf-8", newline="") as file:
            # The same line ends on every platform, hence the same bytes.
            writer = csv.DictWriter(file, data.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(data.rows)

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "types": self._types}


class JSONDataset(AbstractVersionedDataset[Any, Any]):
    """A JSON file. With ``versioned: true``, one file for each run that saves it."""

    def __init__(self, *, filepath: str, version: Version | None = None) -> None:
        super().__init__(PurePosixPath(filepath), version)

    def load(self) -> Any:
        with open(self._get_load_path(), encoding="utf-8") as file:
            return json.load(file)

    def save(self, data: Any) -> None:
        path = self._get_save_path()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            json.dump(data, file, indent=2, ensure_ascii=False)
            file.write("\n")

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}


class TextDataset(AbstractDataset[str, str]):
    """A text file in UTF-8, such as a page or a drawing."""

    def __init__(self, *, filepath: str) -> None:
        self._filepath = PurePosixPath(filepath)

    def load(self) -> str:
        return Path(self._filepath).read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        Path(self._filepath).parent.mkdir(parents=True, exist_ok=True)
        with open(self._filepath, "w", encoding="utf-8", newline="\n") as file:
            file.write(data)

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
