"""Many runs in one session: our service session, and Kedro's HTTP server."""

from __future__ import annotations

import json
import signal
import socket
import threading
import urllib.request
from collections.abc import Iterator

import pytest

import kedro_journal

from .conftest import TIMEOUT_S, Project, check_complete


@pytest.mark.kedro
def test_eight_runs_at_once_have_eight_complete_and_separate_records(
    in_memory: Project,
) -> None:
    project = in_memory
    done = project.python(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from kedro.runner import SequentialRunner, ThreadRunner\n"
        "from kedro_journal.session import KedroServiceSession\n"
        "from kedro_journal.capture.project import configure\n"
        "configure('journal_demo', None)\n"
        "names = ['small']\n"
        "with KedroServiceSession.create() as session:\n"
        "    session.run(pipeline_names=names)\n"
        "    def one(n):\n"
        "        runner = [SequentialRunner, ThreadRunner][n % 2]()\n"
        "        session.run(run_id=f'run-{n}', pipeline_names=names, runner=runner,\n"
        "                    runtime_params={'title': str(n)})\n"
        "    with ThreadPoolExecutor(8) as pool:\n"
        "        list(pool.map(one, range(8)))\n"
    )
    assert 0 == done.returncode, done.stderr
    state = project.state()
    assert ("completed", 9, 0) == (
        state.verdict,
        len(state.runs),
        state.unattributed_events,
    )
    for run in state.runs[1:]:
        number = str(run.run_id).removeprefix("run-")
        assert {"title": number} == run.runtime_params
        assert {"completed"} == {node.status for node in run.nodes.values()}
        assert {"count", "titles"} == set(run.nodes["join"].loads)
    check_complete(project, state)


class Server:
    """Kedro's HTTP server on the loopback, which takes no session class of ours."""

    def __init__(self, project: Project) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = project.start("server", "start", "--port", str(port))
        self._lines: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self._ready.wait(TIMEOUT_S)
        assert self._process.poll() is None, "".join(self._lines)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line)
            if "running on" in line:
                self._ready.set()
        self._ready.set()

    def stop(self) -> None:
        """Stop it as Ctrl-C does, and wait for its end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)


@pytest.fixture
def server(in_memory: Project) -> Iterator[tuple[Project, Server]]:
    """The project, and its server running."""
    running = Server(in_memory)
    try:
        yield in_memory, running
    finally:
        running.stop()


def post(url: str, body: dict[str, object]) -> dict[str, object]:
    request = urllib.request.Request(
        f"{url}/run",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        found: dict[str, object] = json.load(answer)
    return found


@pytest.mark.kedro
def test_runs_of_the_http_server_are_journaled_though_the_session_is_kedros_own(
    server: tuple[Project, Server],
) -> None:
    project, running = server
    url = running.url
    first = post(url, {"pipeline_names": ["small"]})
    assert "success" == first["status"], first
    state = project.state()
    assert ("hooks", "running") == (state.via, state.liveness)
    assert "completed" == state.runs[0].status
    assert state.runs[0].run_id == first["run_id"]

    answers: list[dict[str, object]] = []

    def one() -> None:
        answers.append(post(url, {"pipeline_names": ["small"]}))

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    bad = post(url, {"pipeline_names": ["small"], "from_nodes": ["nope"]})

    assert "failure" == bad["status"]
    records = list(kedro_journal.records(directory=project.sessions_path))
    state = project.state()
    # Kedro's ids collide in one millisecond, so runs are counted by what started.
    assert 4 == sum(record.type == "run.started" for record in records)
    assert {"completed"} == {run.status for run in state.runs}
    for run in state.runs:
        assert {"completed"} == {node.status for node in run.nodes.values()}
    assert project.verification().findings == ()


@pytest.mark.kedro
def test_the_http_servers_session_is_closed_when_the_server_stops(
    server: tuple[Project, Server],
) -> None:
    project, running = server
    answer = post(running.url, {"pipeline_names": ["small"]})
    assert "success" == answer["status"]

    running.stop()

    state = project.state()
    assert ("closed", "completed", "close") == (
        state.status,
        state.verdict,
        state.close_reason,
    )


@pytest.mark.kedro
def test_hooks_that_were_registered_on_the_session_meet_each_of_its_runs(
    in_memory: Project,
) -> None:
    done = in_memory.python(
        "from pathlib import Path\n"
        "from kedro.framework.hooks import hook_impl\n"
        "from kedro.framework.startup import bootstrap_project\n"
        "from kedro_journal.session import KedroServiceSession\n"
        "bootstrap_project(Path.cwd())\n"
        "class Mine:\n"
        "    @hook_impl\n"
        "    def before_pipeline_run(self, run_params):\n"
        "        print('met a run')\n"
        "with KedroServiceSession.create(Path.cwd()) as session:  # no id, any object\n"
        "    session._hook_manager.register(Mine())\n"
        "    session.run()\n"
        "    session.run()\n"
    )
    assert 0 == done.returncode, done.stderr
    assert 2 == done.stdout.count("met a run")
    state = in_memory.state()
    assert ["completed", "completed"] == [run.status for run in state.runs]
    check_complete(in_memory, state)
