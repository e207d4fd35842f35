"""Where a session runs: in which kind of container, notebook or shell.

Cheap looks at the environment and at a few small files; whatever cannot be found out is
left out, for nothing depends on it. Nothing is imported.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kedro_journal._outside import let_through
from kedro_journal.journal.liveness import host_name

__all__ = ["container", "notebook"]

_FILE_MAX_BYTES: Final = 64 * 1024
_ID_SHOWN: Final = 12  # as `docker ps` shows it
_ID_MAX_CHARS: Final = 100
_LONG_ID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_SHORT_ID: Final = re.compile(r"[0-9a-f]{12}\Z")
_PODMAN_ID: Final = re.compile(r'^id="?([0-9a-f]{12,64})', re.MULTILINE)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*\Z")


def container(
    root: Path = Path("/"), environ: Mapping[str, str] | None = None
) -> str | None:
    """Name the container that this process is in: its kind and, if known, its id.

    `docker 0123456789ab`, `podman 0123456789ab`, `kubernetes some-pod`, `lxc`; None
    outside of one, or where nothing tells. Never raises.

    Args:
        root: Where the files are looked for.
        environ: Environment to read; None for this process's.
    """
    try:
        if environ is None and root == Path("/"):
            return _container_here()
        return _container(root, os.environ if environ is None else environ)
    except Exception as error:  # whatever a system has in these files
        let_through(error)
        return None


@functools.cache
def _container_here() -> str | None:
    return _container(Path("/"), os.environ)


def _container(root: Path, environ: Mapping[str, str]) -> str | None:
    if environ.get("KUBERNETES_SERVICE_HOST"):
        pod = environ.get("POD_NAME") or environ.get("HOSTNAME") or host_name()
        return _named("kubernetes", pod)
    if (root / "run/.containerenv").exists():
        found = _PODMAN_ID.search(_text(root / "run/.containerenv"))
        return _named("podman", found[1][:_ID_SHOWN] if found else "")
    groups = _text(root / "proc/self/cgroup")
    docker_id = _docker_id(groups)
    if docker_id or (root / ".dockerenv").exists():
        # Where cgroups do not tell the id any more, the mounts do.
        docker_id = docker_id or _docker_id(_text(root / "proc/self/mountinfo"))
        name = host_name()
        return _named("docker", docker_id or (name if _SHORT_ID.match(name) else ""))
    for kind in ("libpod", "kubepods", "lxc"):
        if f"/{kind}" in groups:
            return {"libpod": "podman", "kubepods": "kubernetes"}.get(kind, kind)
    declared = environ.get("container", "")  # systemd's convention
    return declared if _NAME.match(declared[:_ID_MAX_CHARS]) else None


def _named(kind: str, name: str) -> str:
    return (
        f"{kind} {name}" if _NAME.match(name) and len(name) <= _ID_MAX_CHARS else kind
    )


def _docker_id(text: str) -> str:
    for line in text.splitlines():
        found = _LONG_ID.search(line) if "docker" in line else None
        if found:
            return found[0][:_ID_SHOWN]
    return ""


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_MAX_BYTES).decode("utf-8", "replace")
    except OSError as error:
        let_through(error)
        return ""


def notebook(
    modules: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> str | None:
    """Name the notebook or shell that this process is.

    databricks, colab, vscode, jupyter or ipython; None in an ordinary process. Never
    raises.

    Args:
        modules: Imported modules; None for this process's.
        environ: Environment to read; None for this process's.
    """
    try:
        known = sys.modules if modules is None else modules
        return _notebook(known, os.environ if environ is None else environ)
    except Exception as error:  # a foreign shell
        let_through(error)
        return None


def _notebook(modules: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    module = modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is None:
        return None
    if environ.get("DATABRICKS_RUNTIME_VERSION"):
        return "databricks"
    if "google.colab" in modules:
        return "colab"
    in_kernel = getattr(shell, "kernel", None) is not None
    # The extension of VS Code puts this into the notebook's own names.
    if in_kernel and "__vsc_ipynb_file__" in getattr(shell, "user_ns", ()):
        return "vscode"
    if in_kernel and environ.get("VSCODE_PID"):
        return "vscode"
    return "jupyter" if in_kernel else "ipython"
