"""The places that a catalog's configuration has for datasets: then and now."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from kedro_journal._outside import let_through
from kedro_journal.analysis.places import placed
from kedro_journal.events import CatalogEntry
from kedro_journal.redaction import Redactor

from . import configuration

__all__ = ["entries_now", "places_of"]


def entries_now(context: Any, redactor: Redactor) -> tuple[CatalogEntry, ...]:
    """Return the catalog's entries as they would be recorded; none if it is odd."""
    try:
        return configuration.catalog_entries(
            context.config_loader["catalog"], Path(str(context.project_path)), redactor
        )
    except Exception as error:
        let_through(error)
        # A foreign loader: the catalog itself exists already.
        return ()


def places_of(
    entries: Iterable[CatalogEntry], names: Collection[str], project: str
) -> dict[str, str]:
    """Return the place of each dataset that has one, from the root of the project.

    Args:
        entries: The catalog's entries, patterns included.
        names: The datasets.
        project: Root of the project: relative paths begin there.
    """
    from kedro.io import CatalogConfigResolver

    known = {
        entry.name: {"type": entry.type or "unknown", "filepath": entry.path}
        for entry in entries
        if entry.path
    }
    found: dict[str, str] = {}
    logger = logging.getLogger("kedro.io.catalog_config_resolver")
    logger.addFilter(_nothing)  # of a pattern for all names it warns each time
    try:
        memory = {"{default}": {"type": "MemoryDataset"}}
        resolver = CatalogConfigResolver(known, {}, memory)
        for name in names:
            path = resolver.resolve_pattern(name).get("filepath")
            if path:
                found[name] = placed(str(path), project=project, cwd=project)
    except Exception as error:  # a pattern that Kedro does not take any more
        let_through(error)
        return {
            name: placed(str(known[name]["filepath"]), project=project, cwd=project)
            for name in names
            if name in known
        }
    finally:
        logger.removeFilter(_nothing)
    return found


def _nothing(record: logging.LogRecord) -> bool:
    del record
    return False
