"""Look at everything, try everything, and say what follows."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from kedro_journal.config import Config, Explained, explain_config
from kedro_journal.errors import ConfigError
from kedro_journal.journal import choose_backend
from kedro_journal.journal.port import REAL_OS, Os

from .bench import ELSEWHERE, PREFIX, Bench, Chooser
from .child import HANGS, Probe, guarded, isolated, orderly, undisturbed
from .guarantees import guarantees
from .handler import look_at_logging
from .locks import lock_probes
from .model import Check, Report, ok, problem, shown, warning
from .operations import operation_probes
from .place import look_at, nearest_folder
from .sessions import look_at_journals
from .settings import look_at_project, look_at_settings
from .software import entry_point_checks, load_all, look_at_versions, project_checks
from .whole import whole_probes

__all__ = ["Means", "Tried", "examine", "examine_place"]


class Means(NamedTuple):
    """What the doctor works with; tests break one or the other.

    Attributes:
        port: The operating system.
        choose: Gives a lock backend by its name.
        proc: Where the kernel tells of mounts.
        probe_limit_s: Seconds that a probe may take.
        read_limit_s: The same for reading the journals that are there.
        load_limit_s: The same for loading Kedro and the project's settings.
    """

    port: Os = REAL_OS
    choose: Chooser = choose_backend
    proc: Path = Path("/proc")
    probe_limit_s: float = 10.0
    read_limit_s: float = 20.0
    load_limit_s: float = 60.0


REAL_MEANS: Final = Means()


def examine(
    project: Path | None = None,
    directory: Path | None = None,
    means: Means = REAL_MEANS,
) -> Report:
    """Probe where journals are written, and what is installed to write them.

    Changes nothing: what is made for the probes is removed, and the journal directory
    is not made. Raises nothing of its own.

    Args:
        project: Root of the Kedro project; None for none.
        directory: The journal directory, instead of the project's.
        means: What to work with.
    """
    began = time.monotonic()
    explained = explain_config(project)
    config = explained.config
    where, checks = _settings(project, directory, explained)
    tried = Tried([], [], None)
    with orderly():
        if where is not None:
            tried = examine_place(where, config, means)
        software = _software(project, means)
    checks = [*checks, *tried.checks, *software]
    checks.sort(key=lambda check: _GROUPS.index(check.group))  # stable
    return Report(
        directory=_text(where),
        probed=_text(tried.probed),
        project=_text(project),
        durability=config.durability,
        checks=tuple(checks),
        not_probed=tuple(tried.not_probed),
        guarantees=guarantees(checks, config.durability),
        duration_s=round(time.monotonic() - began, 3),
    )


_GROUPS: Final = ("settings", "place", "operations", "locks", "journals", "software")


def _text(path: Path | None) -> str | None:
    return None if path is None else shown(path)


def _settings(
    project: Path | None, directory: Path | None, explained: Explained
) -> tuple[Path | None, list[Check]]:
    """Return the journal directory, if it is known, and what the settings are."""
    checks = [look_at_project(project, directory), *look_at_settings(explained)]
    checks.append(look_at_logging(project, os.environ))
    if directory is None and project is not None:
        try:
            directory = explained.config.journal_directory(project)
        except ConfigError as error:
            checks.append(
                problem(
                    "settings.directory",
                    f"{error.source}: {error.reason}.",
                    "Set `directory` to a folder that can be created.",
                )
            )
    if directory is not None:
        directory = Path(os.path.abspath(directory))  # noqa: PTH100 - keeps links
    return directory, checks


class Tried(NamedTuple):
    """What came of a place; as in `Report`."""

    checks: list[Check]
    not_probed: list[str]
    probed: Path | None


def examine_place(directory: Path, config: Config, means: Means) -> Tried:
    """Look at the place, try everything there, and look at the journals in it."""
    look = Probe(
        "place.directory",
        "the journal directory",
        lambda: look_at(
            directory,
            means.proc,
            chosen=config.is_directory_chosen,
            group_readable=config.group_readable,
        ),
    )
    checks = isolated(look, means.probe_limit_s)
    found = {check.key: check for check in checks}
    bench = Bench(
        folder=directory / PREFIX,
        port=means.port,
        choose=means.choose,
        lock_backend=config.lock_backend,
    )
    if _hangs(checks) or "place.file_system" not in found:
        return Tried(checks, [probe.key for probe in _probes(bench)], None)
    probed = nearest_folder(directory)
    bench = bench._replace(
        folder=probed / f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}",
        kind=found["place.file_system"].facts["kind"],
    )
    refused = any(
        found[key].status == "problem" for key in ("place.directory", "place.safe")
    )
    not_probed = [] if refused else _try_out(bench, checks, means)
    if refused:
        not_probed = [probe.key for probe in _probes(bench)]
    if not _hangs(checks) and found["place.directory"].facts["exists"]:
        journals = Probe(
            "journals.sessions", "the journals", lambda: look_at_journals(directory)
        )
        checks += isolated(journals, means.read_limit_s)
    return Tried(checks, not_probed, None if refused else probed)


def _hangs(checks: list[Check]) -> bool:
    return any(check.key.endswith(f".{HANGS}") for check in checks)


def _probes(bench: Bench) -> list[Probe]:
    return [*operation_probes(bench), *lock_probes(bench), *whole_probes(bench)]


def _try_out(bench: Bench, checks: list[Check], means: Means) -> list[str]:
    """Try everything in a folder of our own, which is removed whatever happens.

    Returns:
        Keys of what could not be tried: nothing is, once something hangs.
    """
    probes = _probes(bench)
    make = Probe("place.writable", "creating a folder", lambda: _make(bench))
    remove = Probe("place.removed", "removing everything", lambda: _remove(bench))
    try:
        made = isolated(make, means.probe_limit_s)
        checks += made
        if any(check.status != "ok" for check in made):
            return [probe.key for probe in probes]
        for number, probe in enumerate(probes):
            found = isolated(probe, means.probe_limit_s)
            checks += found
            if _hangs(found):
                return [later.key for later in probes[number + 1 :]]
        return []
    finally:
        with undisturbed():
            checks += isolated(remove, means.probe_limit_s)
        if _hangs(checks):
            checks.append(_may_be_left(bench.folder))


def _make(bench: Bench) -> Iterator[Check]:
    try:
        bench.port.make_folder(bench.folder)
    except OSError as error:
        where = bench.folder.parent
        yield problem(
            "place.writable",
            f"{where} cannot be written: {error.strerror}.",
            f"{ELSEWHERE}, or fix the permissions, the mount or the quota.",
            errno=error.errno,
        )
        return
    yield ok("place.writable", "A folder can be created there.", errno=None)


def _remove(bench: Bench) -> Iterator[Check]:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(bench.folder)
    if os.path.lexists(bench.folder):
        yield problem(
            "place.removed",
            f"{bench.folder} still exists, although it was removed.",
            f"Remove it: rm -r {bench.folder}",
            path=bench.folder,
        )


def _may_be_left(folder: Path) -> Check:
    return warning(
        "place.removed",
        f"{folder} may still exist, or may appear once the hanging call returns.",
        f"Look for it then, and remove it: rm -r {folder}",
        path=folder,
    )


def _software(project: Path | None, means: Means) -> list[Check]:
    versions = list(
        guarded(Probe("software.versions", "versions", lambda: [look_at_versions()]))
    )
    kedro = versions[0].facts.get("versions", {}).get("kedro")
    told = load_all(project, means.load_limit_s)
    loaded = Probe("software.hooks", "entry points", lambda: entry_point_checks(told))
    checks = [*versions, *guarded(loaded)]
    if project is not None:
        settings = Probe(
            "settings.settings_py",
            "the project's settings",
            lambda: project_checks(told, kedro),
        )
        checks += guarded(settings)
    return checks
