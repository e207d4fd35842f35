"""Where a session runs: told by what is there, and never in the way."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kedro_journal.capture.place import container, notebook
from kedro_journal.journal.liveness import host_name
from kedro_journal.redaction import Redactor

ID = "0123456789ab" + "cdef" * 13
V1 = f"12:pids:/docker/{ID}\n11:cpu:/docker/{ID}\n"
V2 = "0::/\n"
MOUNTS = (
    f"733 732 8:1 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf rw\n"
)
PODMAN = f'engine="podman-4.9"\nname="mill"\nid="{ID}"\n'


@pytest.mark.parametrize(
    ("files", "environ", "expected"),
    [
        ({}, {}, None),
        ({"proc/self/cgroup": "0::/user.slice/session-1.scope\n"}, {}, None),
        ({"proc/self/cgroup": V1}, {}, "docker 0123456789ab"),
        (
            {".dockerenv": "", "proc/self/cgroup": V2, "proc/self/mountinfo": MOUNTS},
            {},
            "docker 0123456789ab",
        ),
        ({"run/.containerenv": PODMAN}, {}, "podman 0123456789ab"),
        ({"run/.containerenv": ""}, {}, "podman"),
        ({"proc/self/cgroup": "1:name=systemd:/lxc/box\n"}, {}, "lxc"),
        ({"proc/self/cgroup": f"0::/machine.slice/libpod-{ID}.scope\n"}, {}, "podman"),
        (
            {"proc/self/cgroup": f"0::/system.slice/docker-{ID}.scope\n"},
            {},
            "docker 0123456789ab",
        ),
        ({"proc/self/cgroup": "0::/system.slice/docker.service\n"}, {}, None),
        ({"proc/self/cgroup": f"0::/kubepods/pod1/{ID}\n"}, {}, "kubernetes"),
        (
            {".dockerenv": "", "proc/self/cgroup": V1},
            {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "train-7f9c-x2"},
            "kubernetes train-7f9c-x2",
        ),
        ({}, {"KUBERNETES_SERVICE_HOST": "x", "POD_NAME": "p-1"}, "kubernetes p-1"),
        ({}, {"KUBERNETES_SERVICE_HOST": "x", "POD_NAME": "\x1b[2J"}, "kubernetes"),
        ({}, {"container": "lxc"}, "lxc"),
        ({}, {"container": "systemd-nspawn"}, "systemd-nspawn"),
        ({}, {"container": "\x1b[2J"}, None),
        ({"proc/self/cgroup": "\xff\x00" * 100_000}, {}, None),
    ],
)
def test_a_container_is_told_by_its_files_and_variables(
    tmp_path: Path, files: dict[str, str], environ: dict[str, str], expected: str | None
) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    found = container(tmp_path, environ)

    assert expected == found
    if found is not None:  # what is recorded goes through redaction
        assert found == Redactor().text(found)


def test_without_a_long_id_a_host_name_that_docker_gave_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dockerenv").touch()
    monkeypatch.setattr("kedro_journal.capture.place.host_name", lambda: "0a1b2c3d4e5f")
    assert "docker 0a1b2c3d4e5f" == container(tmp_path, {})
    monkeypatch.setattr("kedro_journal.capture.place.host_name", lambda: "mill")
    assert "docker" == container(tmp_path, {})


def test_files_that_cannot_be_read_are_no_container(tmp_path: Path) -> None:
    (tmp_path / "proc/self/cgroup").mkdir(parents=True)
    assert container(tmp_path, {}) is None
    (tmp_path / "proc/self").chmod(0)
    try:
        assert container(tmp_path, {}) is None
    finally:
        (tmp_path / "proc/self").chmod(0o700)
    (tmp_path / ".dockerenv").symlink_to(".dockerenv")  # refers to itself
    assert container(tmp_path, {}) is None


def test_here_it_is_found_once_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    first = container()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")

    assert first == container()
    assert f"kubernetes {os.environ.get('HOSTNAME') or host_name()}" == container(
        environ=dict(os.environ)
    )


def shell(**attributes: Any) -> dict[str, Any]:
    ipython = SimpleNamespace(**attributes)
    return {"IPython": SimpleNamespace(get_ipython=lambda: ipython)}


@pytest.mark.parametrize(
    ("modules", "environ", "expected"),
    [
        ({}, {}, None),
        ({"IPython": SimpleNamespace(get_ipython=lambda: None)}, {}, None),
        (shell(), {}, "ipython"),
        (shell(kernel=1), {}, "jupyter"),
        (shell(kernel=1, user_ns={}), {"VSCODE_PID": "3"}, "vscode"),
        (shell(kernel=1, user_ns={"__vsc_ipynb_file__": "x"}), {}, "vscode"),
        (shell(), {"VSCODE_PID": "3"}, "ipython"),  # its terminal
        ({**shell(kernel=1), "google.colab": 1}, {}, "colab"),
        (shell(kernel=1), {"DATABRICKS_RUNTIME_VERSION": "15.4"}, "databricks"),
        ({}, {"DATABRICKS_RUNTIME_VERSION": "15.4"}, None),  # a job, no notebook
        ({"IPython": object()}, {}, None),
        ({"IPython": None}, {}, None),
    ],
)
def test_a_notebook_is_told_by_its_shell(
    modules: dict[str, Any], environ: dict[str, str], expected: str | None
) -> None:
    assert expected == notebook(modules, environ)


def test_this_process_is_no_notebook() -> None:
    assert notebook() is None
