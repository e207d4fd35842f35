"""Resume, rerun and command, on real projects whose processes really die."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import kedro_journal
from kedro_journal.demo.process import await_session, start_kedro
from kedro_journal.journal import JournalDirectory

from .breakable import REPORT, Breakable
from .conftest import Project, as_json, check_complete

pytestmark = pytest.mark.kedro
NODES = ["split", "clean", "train", "judge", "report"]


@pytest.fixture
def broken(project: Project) -> Breakable:
    """The project with a pipeline that dies where it is told to."""
    return Breakable(project)


def test_a_killed_run_goes_on_from_what_was_completed(broken: Breakable) -> None:
    assert broken.run(die="judge:kill").returncode == -9
    assert broken.ran() == NODES[:4]
    killed = broken.project.state()

    done = broken.resume()
    assert done.returncode == 0, done.stderr
    assert broken.ran() == ["judge", "report"]
    assert broken.report() == REPORT

    state = broken.project.state()
    assert done.stdout == (
        f"session {state.session_id}: completed; 2 nodes ran, 3 kept; "
        f"`kedro-journal show {state.session_id}`\n"
    )
    assert "2 nodes to run, 3 done" in done.stderr
    assert state.verdict == "completed"
    assert state.parent_session_id == killed.session_id
    assert state.resumed is not None
    assert state.resumed.parent_session_id == killed.session_id
    assert state.resumed.parent_run_id == killed.runs[0].run_id
    assert state.resumed.done == ("split", "clean", "train")
    assert state.resumed.remaining == ("judge", "report") == tuple(state.runs[0].nodes)
    check_complete(broken.project, state)
    assert broken.project.state(killed.session_id) == killed


def test_the_demos_killed_run_ends_with_the_same_files(
    project: Project, expected_outputs: dict[str, bytes]
) -> None:
    with start_kedro(("run", "--params", "model.epochs=20000"), project.path) as child:
        where = JournalDirectory(project.sessions_path)
        session_id = await_session(where, [], child)
        for record in kedro_journal.follow(session_id, directory=where.path):
            if getattr(record.event, "node", "") == "train_model":
                break
        child.kill()

    done = project.journal("resume", "--params", "model.epochs=80")
    assert done.returncode == 0, done.stderr
    assert "params:model.epochs: it is 80, and was 20000" in done.stderr
    assert expected_outputs == project.outputs()
    assert len(project.state().runs[0].nodes) == 7


class TestWhatIsTrusted:
    def test_memory_is_made_again_where_it_is_needed(self, broken: Breakable) -> None:
        broken.run(die="train:kill")
        plan = broken.plan()
        split = plan["decisions"][0]
        assert split["decision"] == "redo"
        assert split["reason"] == "its output right lived in memory, and train needs it"

        assert broken.resume().returncode == 0
        assert sorted(broken.ran()[4 - 1 :]) == sorted(
            ["split", "train", "judge", "report"]
        )
        assert broken.report() == REPORT

    def test_a_file_that_was_cut_in_half_is_not(self, broken: Breakable) -> None:
        broken.run(die="report:half")
        assert broken.report() == REPORT[: len(REPORT) // 2]
        broken.ran()
        report = broken.plan()["decisions"][-1]
        assert report["decision"] == "suspect"
        assert "report was being saved" in report["reason"]

        assert broken.resume().returncode == 0
        assert broken.ran() == ["report"]
        assert broken.report() == REPORT

    def test_a_version_that_was_cut_in_half_is_not_loaded(
        self, broken: Breakable
    ) -> None:
        broken.run(die="model:half")
        broken.ran()
        assert broken.resume().returncode == 0
        assert broken.ran() == ["split", "train", "judge", "report"]
        assert broken.report() == REPORT

    def test_the_version_on_record_is_loaded_and_no_newer_one(
        self, broken: Breakable
    ) -> None:
        broken.run(die="judge:raise")
        version = broken.project.state().runs[0].nodes["train"].saves["model"].version
        assert version is not None
        newer = broken.path / "data/model.txt/2999-01-01T00.00.00.000Z/model.txt"
        newer.parent.mkdir(parents=True)
        newer.write_text("a model of somebody else")
        plan = broken.plan()
        assert plan["load_versions"] == {"model": version}

        assert broken.resume().returncode == 0
        assert broken.report() == REPORT
        pinned = broken.project.state().runs[0].load_versions
        assert pinned == (("model", version),)

    def test_what_was_deleted_or_changed_is_made_again(self, broken: Breakable) -> None:
        broken.run(die="report:raise")
        broken.data("table").unlink()
        broken.data("left").write_text("SOME WORLD")
        plan = broken.plan()
        reasons = {d["name"]: d["reason"] for d in plan["decisions"]}
        assert "left was written again after it was saved" in reasons["split"]
        assert reasons["clean"] == "its output table is gone"

        broken.ran()
        assert broken.resume().returncode == 0
        assert broken.ran() == ["split", "clean", "report"]
        assert broken.report() == REPORT

    def test_what_is_to_be_elsewhere_now_is_made_there(self, broken: Breakable) -> None:
        broken.run(die="report:raise")
        catalog = broken.path / "conf/base/catalog.yml"
        text = catalog.read_text()
        moved = text.replace("data/table.txt", "elsewhere/table.txt")
        catalog.write_text(
            moved.replace("data/{name}rdict.txt", "elsewhere/{name}.txt")
        )
        (broken.path / "elsewhere").mkdir()
        (broken.path / "elsewhere/table.txt").write_text("an old table")
        refused = broken.resume("--on-drift", "refuse")
        assert refused.returncode == 6
        assert "3 changes" in refused.stderr
        plan = broken.plan()
        assert [(d["subject"], d["nodes"]) for d in plan["drift"]] == [
            ("conf/base/catalog.yml", []),
            ("table", ["clean"]),
            ("verdict", ["judge"]),
        ]
        assert plan["decisions"][1]["reason"] == (
            "output table: it is now at elsewhere/table.txt, and was saved at "
            "data/table.txt"
        )
        broken.ran()
        assert broken.resume().returncode == 0
        assert broken.ran() == ["split", "clean", "train", "judge", "report"]
        assert broken.report() == REPORT

    def test_another_environment_with_data_of_its_own_is_no_silent_mixture(
        self, broken: Breakable
    ) -> None:
        broken.run(die="report:raise")
        base = (broken.path / "conf/base/catalog.yml").read_text()
        (broken.path / "conf/staging/catalog.yml").write_text(
            base.replace("data/", "staged/")
        )
        (broken.path / "staged").mkdir()
        for name in ("raw", "left", "table", "verdict", "report"):
            (broken.path / "staged" / f"{name}.txt").write_text(f"old {name}")
        (broken.path / "staged/raw.txt").write_text("others")
        refused = broken.resume("--env", "staging", "--on-drift", "refuse")
        assert refused.returncode == 6
        assert "it is staging, and was local" in refused.stderr
        drift = broken.plan("--env", "staging")["drift"]
        assert ("input", "raw", ["split"]) in [
            (d["kind"], d["subject"], d["nodes"]) for d in drift
        ]
        broken.ran()
        assert broken.resume("--env", "staging").returncode == 0
        assert broken.ran() == NODES
        assert (broken.path / "staged/report.txt").read_text() == (
            "report: verdict on model of OTHERS staged and srehto, low; OTHERS staged"
        )

    def test_an_old_file_that_an_output_in_memory_is_to_be_now_is_not_it(
        self, broken: Breakable
    ) -> None:
        old = broken.data("right")
        old.write_text("an old one")
        os.utime(old, (1_000_000_000, 1_000_000_000))
        broken.run(die="train:raise")
        catalog = broken.path / "conf/base/catalog.yml"
        more = "right: {type: journal_demo.probe.TextDataset, filepath: data/right.txt}"
        catalog.write_text(f"{catalog.read_text()}\n{more}\n")
        broken.ran()
        assert broken.resume().returncode == 0
        assert broken.ran() == ["split", "train", "judge", "report"]
        assert broken.report() == REPORT

    def test_a_project_that_was_moved_is_as_it_was(self, broken: Breakable) -> None:
        broken.run(die="report:raise")
        where = broken.path.with_name("moved away")
        shutil.copytree(broken.path, where)
        done = broken.project.journal(
            "resume", "--project", str(where), "--dry-run", "--json"
        )
        plan = as_json(done)
        assert [d["decision"] for d in plan["decisions"]] == ["done"] * 4 + ["to do"]
        assert [d for d in plan["drift"] if d["kind"] != "git"] == []

    def test_nothing_is_left_when_all_of_it_completed(self, broken: Breakable) -> None:
        assert broken.run().returncode == 0
        before = broken.folders()
        done = broken.resume()
        assert done.returncode == 0
        assert done.stdout == f"session {before[0]}: nothing is left to run\n"
        told = as_json(broken.resume("--json"))
        assert (told["to_run"], told["resumed_as"]) == ([], None)
        assert broken.folders() == before

        done = broken.project.python(
            "import pytest\n"
            "from kedro_journal.errors import NothingLeft\n"
            "from kedro_journal.session import KedroSession\n"
            "with pytest.raises(NothingLeft) as caught:\n"
            "    KedroSession.resume()\n"
            "assert caught.value.plan.to_run == ()\n"
        )
        assert done.returncode == 0, done.stderr
        broken.data("report").unlink()
        broken.ran()
        assert broken.resume().returncode == 0
        assert broken.ran() == ["report"]


class TestDrift:
    @pytest.fixture
    def failed(self, broken: Breakable) -> Breakable:
        """A run that failed in its last node."""
        broken.run(die="report:raise")
        broken.ran()
        return broken

    @pytest.mark.parametrize(
        ("what", "kind", "subject", "nodes", "redone"),
        [
            ("code", "code", "train", ["train"], ["split", "train", "judge", "report"]),
            (
                "parameter",
                "parameter",
                "params:deep.word",
                ["judge"],
                ["judge", "report"],
            ),
            ("input", "input", "raw", ["split"], NODES),
        ],
    )
    def test_is_reported_refused_or_redone(
        self,
        failed: Breakable,
        what: str,
        kind: str,
        subject: str,
        nodes: list[str],
        redone: list[str],
    ) -> None:
        match what:
            case "code":
                failed.edit("model of", "better model of")
            case "parameter":
                path = failed.path / "conf/base/parameters.yml"
                path.write_text(path.read_text().replace("low", "deeper"))
            case "input":
                failed.data("raw").write_text("other words")
        plan = failed.plan()
        assert plan["decisions"][-1]["name"] == "report"
        assert [d["name"] for d in plan["decisions"] if d["decision"] != "done"] == [
            "report"
        ]
        (drift,) = [one for one in plan["drift"] if one["kind"] == kind]
        assert (drift["subject"], drift["nodes"]) == (subject, nodes)

        refused = failed.resume("--on-drift", "refuse")
        assert refused.returncode == 6
        assert f"{kind} {subject}" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert failed.ran() == []

        assert failed.resume("--on-drift", "redo").returncode == 0
        assert failed.ran() == redone

    def test_only_what_was_kept_from_before_a_change_is_old(
        self, failed: Breakable
    ) -> None:
        failed.edit("verdict on", "new verdict on")
        assert failed.resume("--on-drift", "redo", die="report:raise").returncode == 1
        assert failed.ran() == ["judge", "report"]

        drift = failed.plan()["drift"]
        assert [one["kind"] for one in drift] == ["project"], "what was kept is older"
        assert failed.plan("--on-drift", "redo")["decisions"][3]["decision"] == "done"

    def test_a_helper_and_an_argument_of_a_partial_are_seen(
        self, broken: Breakable
    ) -> None:
        broken.edit("Node(clean, [", "Node(partial(clean, mark='.'), [")
        broken.edit("def clean(left, word):", "def clean(left, word, mark):")
        broken.edit(
            "import os, signal", "import os, signal\nfrom functools import partial"
        )
        broken.run(die="report:raise")
        assert broken.plan()["drift"] == []
        broken.edit("mark='.'", "mark='!'")
        kinds = {d["kind"]: d["nodes"] for d in broken.plan()["drift"]}
        assert kinds == {"code": ["clean"], "project": []}
        broken.edit("mark='!'", "mark='.'")
        assert broken.plan()["drift"] == []

        helper = broken.path / "src/journal_demo/helper.py"
        helper.write_text("def helped(): ...")
        refused = broken.resume("--on-drift", "refuse")
        assert refused.returncode == 6
        assert "project journal_demo: its source files" in refused.stderr

    def test_the_commit_and_the_catalog_are_told(self, failed: Breakable) -> None:
        catalog = failed.path / "conf/base/catalog.yml"
        catalog.write_text(catalog.read_text() + "\n# another line\n")
        (drift,) = failed.plan()["drift"]
        assert (drift["kind"], drift["subject"]) == (
            "configuration",
            "conf/base/catalog.yml",
        )

    def test_nothing_changed_is_no_drift(self, failed: Breakable) -> None:
        assert failed.plan()["drift"] == []


class TestTheSameRun:
    def test_pipelines_filters_environment_and_parameters_are_the_originals(
        self, broken: Breakable
    ) -> None:
        broken.run(
            "--pipelines", "all", "--to-nodes", "judge", "--env", "staging",
            "--params", "deep.word=given", die="judge:kill",
        )  # fmt: skip
        broken.ran()
        assert list(broken.decided()) == NODES[:4]
        assert broken.resume().returncode == 0
        assert broken.ran() == ["judge"]
        run = broken.project.state().runs[0]
        assert (run.pipelines, run.env) == (("all",), "staging")
        assert run.runtime_params == {"deep": {"word": "given"}}
        assert (
            broken.data("verdict").read_text().endswith("staged and sdrow emos, given")
        )

    def test_secrets_must_be_given_again(self, broken: Breakable) -> None:
        broken.run("--params", "api_token=hunter22", die="judge:kill")
        refused = broken.resume()
        assert refused.returncode == 6
        assert "api_token is a secret" in refused.stderr
        assert "--params api_token=" in refused.stderr

        done = broken.resume("--params", "api_token=hunter22")
        assert done.returncode == 0, done.stderr
        for path in broken.project.sessions_path.rglob("*"):
            assert not path.is_file() or b"hunter22" not in path.read_bytes()

    def test_the_runner_is_the_originals(self, broken: Breakable) -> None:
        broken.run("--async", die="judge:kill")
        assert broken.project.state().runs[0].is_async
        broken.ran()
        asked = broken.resume("-r", "SequentialRunner", die="judge:kill")
        assert asked.returncode == -9
        assert broken.project.state().runs[0].is_async
        broken.run("--runner", "ThreadRunner", die="judge:kill")
        broken.ran()
        done = broken.resume()
        assert done.returncode == 0, done.stderr
        assert broken.ran() == ["judge", "report"]
        assert broken.report() == REPORT
        run = broken.project.state().runs[0]
        assert run.runner == "ThreadRunner"

        given = broken.resume("--from", "judge", "-r", "SequentialRunner")
        assert given.returncode == 0, given.stderr
        run = broken.project.state().runs[0]
        assert (run.runner, run.is_async) == ("SequentialRunner", False)
        assert broken.ran() == ["judge", "report"]

    @pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
    def test_workers_that_outlive_their_run_are_waited_for(
        self, broken: Breakable, end: signal.Signals
    ) -> None:
        process = broken.project.start(
            "run", "--runner", "ParallelRunner",
            env={"DIE": "judge:wait"}, start_new_session=True,
        )  # fmt: skip
        try:
            while not (broken.path / "waiting").exists():
                assert process.poll() is None
            process.send_signal(end)
            process.wait()
            broken.ran()
            refused = broken.resume()
            assert refused.returncode == 6
            assert "is alive and at node judge" in refused.stderr
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        done = broken.resume()
        assert done.returncode == 0, done.stderr
        assert broken.ran() == ["judge", "report"]
        assert broken.report() == REPORT
        assert broken.project.state().runs[0].runner == "ParallelRunner"

    def test_a_run_from_python_is_resumed_as_well(self, broken: Breakable) -> None:
        done = broken.project.python(
            "from kedro_journal.session import KedroSession\n"
            "with KedroSession.create('journal_demo', env='staging') as session:\n"
            "    session.run(tags=['learn'], load_versions=None)\n",
        )
        assert "train" not in broken.ran(), done.stderr  # right is in memory
        done = broken.project.python(
            "from kedro_journal.session import KedroSession\n"
            "with KedroSession.create('journal_demo', env='staging') as session:\n"
            "    session.run(to_nodes=['judge'])\n",
            env={"DIE": "judge:raise"},
        )
        assert done.returncode == 1
        broken.ran()
        assert broken.resume().returncode == 0
        assert broken.ran() == ["judge"]
        assert broken.project.state().runs[0].env == "staging"

    def test_the_group_is_the_originals_and_completes(self, broken: Breakable) -> None:
        group = {"KEDRO_JOURNAL_GROUP_ID": "nightly", "DIE": "judge:kill"}
        broken.project.kedro("run", env=group)
        (first,) = broken.folders()
        path = broken.project.sessions_path
        found = kedro_journal.replay_group("nightly", directory=path)
        assert found.verdict == "crashed"
        other = {"KEDRO_JOURNAL_GROUP_ID": "another", "DIE": "judge:raise"}
        broken.project.journal("resume", env=other)
        assert broken.project.state().group_id == "another"

        assert broken.project.journal("rerun", first).returncode == 0
        again = broken.project.state()
        assert again.group_id == "nightly"
        found = kedro_journal.replay_group("nightly", directory=path)
        assert found.verdict == "completed"

    def test_a_resumed_task_makes_its_group_good(self, broken: Breakable) -> None:
        for task, die in ("clean", ""), ("judge", "judge:kill"):
            broken.project.kedro(
                "run", "--to-nodes", task,
                env={
                    "KEDRO_JOURNAL_GROUP_ID": "nightly",
                    "KEDRO_JOURNAL_LABELS": f"task={task}",
                    "DIE": die,
                },
            )  # fmt: skip
        assert broken.resume().returncode == 0
        found = kedro_journal.replay_group(
            "nightly", directory=broken.project.sessions_path
        )
        assert (found.verdict, len(found.sessions)) == ("completed", 3)
        assert broken.project.state().labels == {"task": "judge"}

    def test_hooks_alone_are_enough(self, broken: Breakable) -> None:
        broken.project.level_0()
        broken.run("--env", "staging", die="report:kill")
        broken.ran()
        done = broken.project.kedro("journal", "resume")
        assert done.returncode == 0, done.stdout + done.stderr
        assert broken.ran() == ["report"]
        assert broken.report().endswith("SOME WORDS staged")

    def test_only_missing_outputs_keeps_what_was_there(self, broken: Breakable) -> None:
        assert broken.run("--to-nodes", "clean").returncode == 0
        broken.run("--only-missing-outputs", die="judge:kill")
        assert broken.ran() == ["split", "train", "judge"]
        assert broken.resume().returncode == 0
        assert broken.ran() == ["judge", "report"]
        assert broken.report() == REPORT

    def test_one_run_of_a_service_session(self, broken: Breakable) -> None:
        broken.project.python(
            "import os\n"
            "from kedro_journal.session import KedroServiceSession\n"
            "from kedro_journal.capture.project import configure\n"
            "configure('journal_demo', None)\n"
            "with KedroServiceSession.create() as session:\n"
            "    for name, die in ('one', 'judge:raise'), ('two', 'report:raise'):\n"
            "        os.environ['DIE'] = die\n"
            "        try:\n"
            "            session.run(run_id=name)\n"
            "        except ValueError:\n"
            "            pass\n",
        )
        service = broken.project.state()
        assert [run.run_id for run in service.runs] == ["one", "two"]
        assert broken.decided("--run", "one")["judge"] == "to do"
        assert broken.decided("--run", "two")["judge"] == "done"
        wrong = broken.resume("--run", "three")
        assert (wrong.returncode, "Its runs: one, two" in wrong.stderr) == (6, True)

        broken.ran()
        assert broken.resume("--run", "two").returncode == 0
        assert broken.ran() == ["report"]
        # The other run was not resumed by that.
        chosen = broken.plan(service.session_id, "--run", "one")
        assert chosen["chain"] == [service.session_id]


class TestChains:
    def test_a_resumed_run_that_dies_is_resumed(self, broken: Breakable) -> None:
        broken.run(die="train:kill")
        broken.ran()
        assert broken.resume(die="judge:kill").returncode == -9
        assert broken.ran() == ["split", "train", "judge"]
        first, second = broken.folders()
        assert broken.plan()["chain"] == [first, second]
        assert broken.plan(first) == broken.plan()
        plan = broken.plan(first)
        assert [d["name"] for d in plan["decisions"]] == NODES

        assert broken.resume(first).returncode == 0
        assert broken.ran() == ["judge", "report"]
        assert broken.report() == REPORT
        state = broken.project.state()
        assert state.parent_session_id == second

    def test_params_given_on_the_way_stay(self, broken: Breakable) -> None:
        broken.run("--params", "word=first", die="train:kill")
        broken.resume("--params", "deep.word=later", die="judge:kill")
        assert broken.resume().returncode == 0
        assert broken.project.state().runs[0].runtime_params == {
            "word": "first",
            "deep": {"word": "later"},
        }

    def test_a_session_that_never_began_its_run_is_passed_over(
        self, broken: Breakable
    ) -> None:
        broken.run(die="judge:kill")
        path = broken.path / "conf/base/catalog.yml"
        text = path.read_text()
        path.write_text(text + "broken: [")
        assert broken.resume().returncode == 1
        path.write_text(text)
        (first, failed) = broken.folders()
        assert broken.project.state(failed).verdict == "failed"

        assert broken.plan(first)["chain"] == [first]
        assert broken.plan(failed) == broken.plan("latest") == broken.plan(first)
        assert broken.resume().returncode == 0
        assert broken.report() == REPORT

    def test_diff_tells_what_each_attempt_added(self, broken: Breakable) -> None:
        broken.run("--params", "word=first", die="train:kill")
        alone = broken.project.journal("diff")
        assert alone.returncode == 2
        assert "Name the session to compare it with" in alone.stderr
        broken.edit("model of", "better model of")
        broken.resume("--params", "deep.word=later", die="judge:kill")
        version = broken.project.state().runs[0].nodes["train"].saves["model"].version
        assert broken.resume("--env", "staging").returncode == 0
        first, second, third = broken.folders()

        one, two = as_json(broken.project.journal("diff", "--json"))["steps"]
        assert (one["before"], one["after"], two["after"]) == (first, second, third)
        assert (one["added"], one["anew"], one["kept"], one["broken"]) == (
            ["train"], ["split"], ["clean"], ["judge"],
        )  # fmt: skip
        assert one["datasets_added"] == {"model": version}
        assert one["datasets_anew"].keys() == {"left", "right"}
        found = {(d["kind"], d["name"]): d for d in one["differences"]}
        changed = found["parameter", "deep.word"]
        assert (changed["was"], changed["now"]) == ("low", "later")
        assert ("flag", "params") not in found  # it restates the parameters
        assert ("code", "train") in found
        assert ("code", "judge") not in found
        assert ("version", "source files") in found
        assert (two["added"], two["anew"], two["verdict"]) == (
            ["judge", "report"], [], "completed",
        )  # fmt: skip
        assert {"kind": "env", "name": "env", "was": "local", "now": "staging"} in two[
            "differences"
        ]

        text = broken.project.journal("diff", second, third).stdout
        assert text.startswith(f"{second} -> {third}  completed\n")
        assert '  env            env: "local" -> "staging"\n' in text
        assert "  completed      judge, report\n" in text


class TestOneAtATime:
    def test_a_living_session_is_refused_unless_forced(self, broken: Breakable) -> None:
        process = broken.project.start("run", env={"DIE": "judge:wait"})
        while not (broken.path / "waiting").exists():
            assert process.poll() is None
        refused = broken.resume()
        assert refused.returncode == 6
        assert f"its process {process.pid} on" in refused.stderr
        assert broken.decided("--force")["judge"] == "to do"
        (broken.path / "waiting").unlink()
        process.communicate()
        assert process.returncode == 0

    def test_of_two_at_once_one_wins_and_the_other_is_told(
        self, broken: Breakable
    ) -> None:
        broken.run(die="judge:kill")
        first = broken.folders()[0]
        broken.ran()
        with ThreadPoolExecutor(3) as pool:
            done = [
                pool.submit(broken.resume, first, die="report:wait") for _ in range(3)
            ]
            while not (broken.path / "waiting").exists():
                assert any(not one.done() for one in done), [d.result() for d in done]
            began = time.monotonic()
            late = broken.resume(first)
            assert time.monotonic() - began < 60
            (broken.path / "waiting").unlink()
        results = [one.result() for one in done]
        codes = sorted(result.returncode for result in results)
        assert late.returncode == 6
        # Whoever comes after the end finds nothing left.
        assert codes[0] == 0, results
        assert set(codes[1:]) <= {0, 6}
        assert broken.ran().count("report") == 1
        losers = [r.stderr for r in (*results, late) if r.returncode == 6]
        assert all("is not resumed" in text for text in losers)
        assert len(broken.folders()) == 2

    def test_why_it_cannot_be_claimed_is_told(self, broken: Breakable) -> None:
        broken.run(die="judge:kill")
        (first,) = broken.folders()
        done = broken.project.python(
            "from kedro_journal.session import KedroSession\n"
            "held = KedroSession.resume()\n"
            "def ask():\n"
            "    try:\n"
            f"        KedroSession.resume({first!r}).close()\n"
            "    except Exception as error:\n"
            "        print('SAID', error)\n"
            "    else:\n"
            "        print('SAID resumed')\n"
            "import os\n"
            "if not (pid := os.fork()):\n"
            "    ask()\n"
            "    import sys; sys.stdout.flush(); os._exit(0)\n"
            "os.waitpid(pid, 0)\n"
            "ask()\n"
            "held.close()\n"
            "ask()\n"
            "print('SAID', os.getpid())\n"
        )
        assert done.returncode == 0, done.stderr
        said = [line for line in done.stdout.splitlines() if line[:5] == "SAID "]
        theirs, ours, free, pid = (line[5:] for line in said)
        assert "another process resumes it at this moment" in theirs
        assert f"this very process, {pid}, resumes it at this moment" in ours
        assert free == "resumed"

        lock = broken.project.sessions_path / first / "resume.lock"
        lock.unlink()
        lock.mkdir()
        refused = broken.resume()
        assert refused.returncode == 6
        assert "resume.lock: not a regular file" in refused.stderr
        assert "another process" not in refused.stderr

    def test_a_journal_from_another_host_is_unknown(self, broken: Breakable) -> None:
        broken.run(die="judge:kill")
        elsewhere = (
            "import msgspec\n"
            "from kedro_journal.session import resume_plan\n"
            "from kedro_journal.session.resume import chain\n"
            "real = chain.replay_folder\n"
            "chain.replay_folder = lambda *a, **k: msgspec.structs.replace(\n"
            "    real(*a, **k), liveness='unknown')\n"
            "try:\n"
            "    resume_plan()\n"
            "except Exception as error:\n"
            "    print(type(error).__name__, error)\n"
            "print(resume_plan(force=True).to_run)\n"
        )
        out = broken.project.python(elsewhere).stdout
        assert "NotResumable" in out
        assert "it is not known whether" in out
        assert "('judge', 'report')" in out

    def test_a_notebook_resumes_the_run_that_failed_in_it(
        self, broken: Breakable
    ) -> None:
        done = broken.project.python(
            "import os\n"
            "from kedro_journal.session import KedroSession\n"
            "session = KedroSession.create('journal_demo')\n"
            "session.__enter__()\n"
            "os.environ['DIE'] = 'judge:raise'\n"
            "try:\n"
            "    session.run()\n"
            "except ValueError:\n"
            "    pass\n"
            "del os.environ['DIE']\n"
            "with KedroSession.resume() as again:\n"
            "    print(again.plan.to_run, list(again.run()))\n",
        )
        assert done.returncode == 0, done.stderr
        assert "('judge', 'report') ['report']" in done.stdout
        assert broken.report() == REPORT


class TestTheCommand:
    def test_a_dry_run_runs_and_writes_nothing(self, broken: Breakable) -> None:
        broken.run(die="judge:kill")
        broken.ran()
        before = sorted(broken.path.rglob("*"))
        done = broken.resume("--dry-run")
        assert done.returncode == 0, done.stderr
        after = [
            p for p in sorted(broken.path.rglob("*")) if "__pycache__" not in p.parts
        ]
        assert after == [p for p in before if "__pycache__" not in p.parts]
        assert broken.ran() == []
        first, *rows = done.stdout.splitlines()
        assert first.endswith("2 nodes to run, 3 done")
        assert re.match(r"  done +split +it completed \(record \d+\)", rows[0])
        assert re.match(r"  to do +judge +it was running \(record \d+\)", rows[3])

    def test_json_is_alone_on_stdout(self, broken: Breakable) -> None:
        broken.run(die="judge:kill")
        told = as_json(broken.resume("--json"))
        assert told["to_run"] == ["judge", "report"]
        assert told["resumed_as"] == broken.project.state().session_id
        assert (told["verdict"], told["error"]) == ("completed", None)
        assert broken.project.state().verdict == "completed"

    def test_a_run_that_fails_again_is_a_failure(self, broken: Breakable) -> None:
        broken.run(die="judge:kill")
        done = broken.resume(die="report:raise")
        assert done.returncode == 1
        assert "ValueError: told to" in done.stderr
        assert broken.project.state().verdict == "failed"
        assert broken.resume(die="report:exit").returncode == 3
        assert broken.project.state().verdict == "interrupted"
        assert broken.resume().returncode == 0

    def test_json_tells_of_a_run_that_fails_again(self, broken: Breakable) -> None:
        broken.run(die="judge:kill")
        done = broken.resume("--json", die="report:raise")
        assert done.returncode == 1
        told = json.loads(done.stdout)
        state = broken.project.state()
        assert told["to_run"] == ["judge", "report"]
        assert (told["resumed_as"], told["verdict"]) == (state.session_id, "failed")
        assert told["error"] == {"type": "ValueError", "message": "told to"}

        done = broken.project.journal("rerun", "--json", env={"DIE": "split:exit"})
        assert done.returncode == 3
        told = json.loads(done.stdout)
        assert told["session_id"] == broken.project.state().session_id
        assert (told["verdict"], told["error"]["type"]) == (
            "interrupted",
            "SystemExit",
        )

    def test_a_runner_that_is_none_is_told_first(self, broken: Breakable) -> None:
        for more in (), ("--dry-run",):
            done = broken.resume("--runner", "Nope", *more)
            assert done.returncode == 2, "though there is no session at all"
            assert "Traceback" not in done.stderr
            text = " ".join(done.stderr.split())
            assert "ParallelRunner, SequentialRunner, ThreadRunner" in text
        assert "is not a runner class" in broken.resume("-r", "pathlib.Path").stderr

    def test_a_pyproject_that_does_not_read_is_told_with_the_line(
        self, broken: Breakable
    ) -> None:
        path = broken.path / "pyproject.toml"
        path.write_text("[tool.kedro]\npackage_name = journal_demo\n")
        for command in ("resume",), ("resume", "--dry-run"), ("rerun",):
            done = broken.project.journal(*command)
            assert done.returncode == 2
            assert "pyproject.toml: it does not parse as TOML" in done.stderr
            assert "line 2" in done.stderr
            assert "Traceback" not in done.stderr

    def test_a_damaged_journal_is_not_gone_on_from_without_a_word(
        self, broken: Breakable
    ) -> None:
        broken.run(die="judge:raise")
        (session_id,) = broken.folders()
        journal = broken.project.sessions_path / session_id / "journal.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True)
        number = next(
            n for n, line in enumerate(lines)
            if b'"node.completed"' in line and b'"train"' in line
        )  # fmt: skip
        lines[number] = lines[number].replace(b"train", b"trein")
        journal.write_bytes(b"".join(lines))
        done = broken.resume("--dry-run", "--json")
        assert f"journal of session {session_id} is damaged" in done.stderr
        assert f"after record {number}: " in done.stderr
        (damage,) = as_json(done)["damage"]
        assert damage["session_id"] == session_id
        assert len(damage["findings"]) == 1
        broken.ran()
        done = broken.resume()
        assert (done.returncode, "is damaged" in done.stderr) == (0, True)
        assert broken.ran() == ["split", "train", "judge", "report"]

    def test_without_a_journal_it_says_so(self, broken: Breakable) -> None:
        broken.run(die="judge:kill")
        before = broken.folders()
        done = broken.project.journal("resume", env={"KEDRO_JOURNAL_DISABLE": "1"})
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(
            ": completed; 2 nodes ran, 3 kept; it is not journaled\n"
        )
        assert broken.folders() == before

    def test_nodes_can_be_asked_for(self, broken: Breakable) -> None:
        assert broken.run().returncode == 0
        broken.ran()
        assert broken.resume("--from", "judge").returncode == 0
        assert broken.ran() == ["judge", "report"]
        wrong = broken.resume("--from", "jugde")
        assert (wrong.returncode, "no node 'jugde'" in wrong.stderr) == (6, True)

    def test_a_pipeline_that_is_gone_is_told(self, broken: Breakable) -> None:
        broken.run("--pipelines", "all", die="judge:kill")
        broken.edit(', "all": pipeline', "")
        refused = broken.resume("--dry-run")
        assert refused.returncode == 6
        assert "its pipeline 'all' is not in the project any more" in refused.stderr

    def test_a_session_without_a_run_cannot_be_resumed(self, broken: Breakable) -> None:
        broken.project.kedro("run", "--pipelines", "nope")
        refused = broken.resume()
        assert refused.returncode == 6
        assert "no run of it was begun" in refused.stderr


class TestRerun:
    def test_it_runs_all_of_it_again(self, broken: Breakable) -> None:
        broken.run("--to-nodes", "judge", "--params", "word=given", die="judge:kill")
        broken.ran()
        told = as_json(broken.project.journal("rerun", "--json"))
        assert broken.ran() == NODES[:4]
        first, second = broken.folders()
        assert told == {
            "session_id": second,
            "verdict": "completed",
            "error": None,
            "parent_session_id": first,
            "repeats": first,
            "nodes": NODES[:4],
        }
        state = broken.project.state()
        assert (state.verdict, state.resumed) == ("completed", None)
        assert state.runs[0].filters == {"to_nodes": ["judge"]}
        assert state.runtime_params == {"word": "given"}

    def test_a_resumed_session_stands_for_the_whole_run(
        self, broken: Breakable
    ) -> None:
        broken.run("--to-nodes", "judge", die="judge:kill")
        first = broken.folders()[0]
        broken.resume("--params", "word=later", die="judge:kill")
        broken.ran()
        resumed = broken.folders()[1]
        done = broken.project.journal("rerun")
        assert done.returncode == 0, done.stderr
        assert f"session {resumed} resumes {first}: what that one" in done.stderr
        assert broken.ran() == NODES[:4]
        state = broken.project.state()
        assert state.parent_session_id == resumed
        assert state.runs[0].filters == {"to_nodes": ["judge"]}
        assert state.runs[0].load_versions == ()
        assert state.runtime_params == {"word": "later"}
        assert broken.data("table").read_text() == "SOME WORDS later"

        done = broken.project.journal("command", resumed)
        line = "kedro-journal resume --params word=later\n"
        assert done.stdout == line
        assert f"resumes session {first}" in done.stderr

    def test_the_call_of_a_resumed_session_is_no_part_of_the_run(
        self, broken: Breakable
    ) -> None:
        broken.run(die="judge:raise")
        broken.project.python(
            "from kedro_journal.session import KedroSession\n"
            "with KedroSession.resume() as session:\n"
            "    session.run()\n"
        )
        call = broken.project.journal("command").stdout
        assert "node_names" not in call
        assert f"KedroSession.resume('{broken.folders()[0]}', " in call
        broken.data("report").unlink()
        assert broken.project.python(call).returncode == 0
        assert broken.report() == REPORT

    def test_the_command_line_can_be_typed_again(self, broken: Breakable) -> None:
        broken.run("--to-nodes", "clean", "--params", "word=a b")
        line = broken.project.journal("command").stdout.strip()
        assert line == "kedro run --to-nodes clean --params 'word=a b'"
        broken.project.python(
            "from kedro.runner import ThreadRunner\n"
            "from kedro_journal.session import KedroSession\n"
            "with KedroSession.create('journal_demo', env='staging') as session:\n"
            "    session.run(to_nodes=['clean'], runner=ThreadRunner())\n",
        )
        broken.ran()
        call = broken.project.journal("command")
        assert "runner=ThreadRunner(max_workers=" in call.stdout
        broken.data("table").unlink()
        done = broken.project.python(call.stdout)
        assert done.returncode == 0, done.stderr
        assert broken.ran() == ["split", "clean"]
        again = broken.project.state()
        assert (again.env, again.runs[0].runner) == ("staging", "ThreadRunner")
        told = as_json(broken.project.journal("command", "--json"))
        assert told["argv"] is None
