"""What is not as it was is told by kind, subject and the nodes it concerns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from resume_world import Journal, World, node

from kedro_journal.analysis import Drift, Now, Stored, find_drift, plan_resume
from kedro_journal.events import (
    ContextLoaded,
    DatasetSaved,
    Git,
    PlannedNode,
    SessionCreated,
    Versions,
)
from kedro_journal.redaction import Redactor

LINE = [
    node("a", ["raw"], ["first"]),
    node("b", ["first", "params:model"], ["second"]),
    node("c", ["second", "params:model.lr", "other"], ["third"]),
]
PARAMETERS = {"model": {"lr": 0.1, "depth": 3}, "seed": 1}
VERSIONS = Versions(python="3.11.7", kedro="1.7.0", packages_sha256="aa")
GIT = Git(sha="0123456789abcdef", branch="main")


def replaced(value: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(value, **fields)


def context(parameters: dict[str, Any]) -> ContextLoaded:
    return ContextLoaded(
        parameters=parameters,
        parameters_sha256="x",
        config_sources=("conf/base/catalog.yml", "conf/base/parameters.yml"),
        config_sha256=("11", "22"),
    )


class Scene:
    """A session of which a and b completed, and the project as it is now."""

    def __init__(self) -> None:
        self.world = World(LINE, {})
        self.journals = [self.session("s0", ["a", "b", "c"], PARAMETERS, "a", "b")]
        self.now = Now(
            nodes=tuple(LINE),
            parameters=PARAMETERS,
            config_sha256={
                "conf/base/catalog.yml": "11",
                "conf/base/parameters.yml": "22",
            },
            stored={},
            git=GIT,
            versions=VERSIONS,
        )

    def session(
        self, name: str, nodes: list[str], parameters: dict[str, Any], *done: str
    ) -> Journal:
        journal = Journal(name, f"run {name}")
        created = SessionCreated(session_id=name, git=GIT, versions=VERSIONS)
        journal.add(created, self.world.tick())
        journal.add(context(parameters), self.world.tick())
        self.world.start_run(journal, nodes)
        for one in done:
            self.world.execute(journal, one, {})
        return journal

    def drift(self, **changed: Any) -> tuple[Drift, ...]:
        chain = [journal.link() for journal in self.journals]
        stored = {"stored": self.world.stored(chain)} | changed
        return find_drift(chain, replaced(self.now, **stored))

    def one(self, **changed: Any) -> Drift:
        (found,) = self.drift(**changed)
        return found


def changed(nodes: list[PlannedNode], name: str, **fields: Any) -> dict[str, Any]:
    return {
        "nodes": tuple(replaced(n, **fields) if n.name == name else n for n in nodes)
    }


def test_nothing_changed_is_no_drift() -> None:
    assert Scene().drift() == ()


def test_a_node_whose_code_or_datasets_changed_is_named() -> None:
    scene = Scene()
    found = scene.one(**changed(LINE, "b", source_sha256="another", source="n.py:3"))
    assert (found.kind, found.subject, found.nodes) == ("code", "b", ("b",))
    assert found.detail == "the source of nodes.b was changed (n.py:3)"
    found = scene.one(**changed(LINE, "b", function="nodes.better"))
    assert found.detail == "its function is nodes.better, and was nodes.b"
    found = scene.one(**changed(LINE, "b", outputs=("second", "more")))
    assert (found.kind, found.detail) == (
        "pipeline",
        "it loads or saves different datasets",
    )


def test_the_arguments_of_a_partial_are_code() -> None:
    scene = Scene()
    drift = scene.one(**changed(LINE, "b", arguments_sha256="other"))
    assert (drift.kind, drift.subject, drift.nodes) == ("code", "b", ("b",))
    assert "the arguments that a partial gives nodes.b" in drift.detail


def test_code_that_ran_and_is_not_in_its_file_any_more_is_named() -> None:
    nodes = [replaced(n, code_sha256="old") for n in LINE]
    scene = Scene()
    scene.world.nodes = nodes
    scene.journals = [scene.session("s0", ["a", "b", "c"], PARAMETERS, "a", "b")]
    found = scene.one(**changed(nodes, "a", code_sha256="new"))
    assert (found.kind, found.subject, found.nodes) == ("code", "a", ("a",))

    other = replaced(VERSIONS, python="3.99.0")
    drift = scene.drift(**changed(nodes, "a", code_sha256="new"), versions=other)
    assert "code" not in {one.kind for one in drift}  # another Python compiles it so


def test_the_projects_files_are_compared_with_what_completed_nodes_ran_with() -> None:
    scene = Scene()
    (journal,) = scene.journals
    created = journal.records[0]
    was = replaced(VERSIONS, project_sha256="11")
    event = replaced(created.event, versions=was, package_name="mine")
    journal.records[0] = replaced(created, event=event)

    assert scene.drift(versions=was) == ()
    assert scene.drift(versions=VERSIONS) == (), "it cannot be told now"
    drift = scene.one(versions=replaced(VERSIONS, project_sha256="22"))
    assert (drift.kind, drift.subject, drift.nodes) == ("project", "mine", ())


def test_nodes_that_are_new_or_gone_are_named() -> None:
    new = node("d", ["second"], ["fourth"])
    gone, added = Scene().drift(nodes=(*LINE[:2], new))
    assert (gone.subject, gone.detail, gone.nodes) == ("c", "the node was removed", ())
    assert (added.subject, added.detail, added.nodes) == (
        "d",
        "the node is new",
        ("d",),
    )


def test_a_parameter_concerns_the_nodes_that_take_it_or_what_it_is_in() -> None:
    scene = Scene()
    found = scene.one(parameters={"model": {"lr": 0.2, "depth": 3}, "seed": 1})
    assert (found.subject, found.nodes) == ("params:model.lr", ("b", "c"))
    assert found.detail == "it is 0.2, and was 0.1"
    found = scene.one(parameters={"model": {"lr": 0.1}, "seed": 1})
    assert (found.subject, found.nodes) == ("params:model.depth", ("b",))
    assert found.detail == "it is gone, and was 3"
    found = scene.one(parameters={**PARAMETERS, "new": True})
    assert (found.nodes, found.detail) == ((), "it is True, and was not there")


def test_a_node_is_compared_with_the_session_that_it_ran_in() -> None:
    scene = Scene()
    other = {"model": {"lr": 0.2, "depth": 3}, "seed": 1}
    scene.journals.append(scene.session("s1", ["b", "c"], other, "b"))

    assert scene.drift(parameters=other) == ()
    assert scene.one(parameters=PARAMETERS).nodes == ("b", "c")


def test_an_input_concerns_those_that_loaded_it_before_it_was_written() -> None:
    scene = Scene()
    scene.world.write("raw", "other rows")
    found = scene.one()
    assert (found.kind, found.subject, found.nodes) == ("input", "raw", ("a",))
    assert found.detail == "it was written after it was loaded"

    scene.journals.append(scene.session("s1", ["a"], PARAMETERS, "a"))
    assert scene.drift() == ()


def test_an_input_that_nothing_loaded_yet_is_told_and_costs_nothing() -> None:
    scene = Scene()
    scene.world.write("other", "more rows")
    found = scene.one()
    assert found.detail == "it was written since the session began"
    assert found.nodes == ("c",)


def test_an_input_that_is_gone_matters_to_those_that_wait_for_it() -> None:
    scene = Scene()
    del scene.world.disk["raw", ""]
    assert scene.drift() == (), "a has completed"
    del scene.world.disk["other", ""]
    found = scene.one()
    assert (found.subject, found.detail, found.nodes) == ("other", "it is gone", ("c",))


def test_inputs_that_do_not_tell_are_no_drift() -> None:
    silent = {name: Stored(persistent=True) for name in ("raw", "other")}
    assert Scene().drift(stored=silent) == ()


LATER = {"modified_at": datetime(2026, 6, 1, tzinfo=UTC)}


class TestPlaces:
    """A session in a project folder, whose nodes a and b completed."""

    @pytest.fixture
    def scene(self, monkeypatch: pytest.MonkeyPatch) -> Scene:
        scene = Scene()
        real = scene.session

        def in_a_project(*args: Any, **more: Any) -> Journal:
            journal = real(*args, **more)
            created = journal.records[0]
            event = replaced(created.event, project_path="/was", cwd="/was", env="base")
            journal.records[0] = replaced(created, event=event)
            return journal

        monkeypatch.setattr(scene, "session", in_a_project)
        scene.journals = [scene.session("s0", ["a", "b", "c"], PARAMETERS, "a", "b")]
        return scene

    def at(self, scene: Scene, name: str, path: str | None, **more: Any) -> Any:
        """What is known of the datasets, one of them at a place."""
        chain = [journal.link() for journal in scene.journals]
        stored = scene.world.stored(chain)
        for one, here in stored.items():
            if here.path is not None:
                stored[one] = replaced(here, path=here.path.rstrip("/"))
        stored[name] = replaced(stored[name], path=path, **more)
        return stored

    def test_an_output_that_is_elsewhere_now_is_made_again_with_what_follows(
        self, scene: Scene
    ) -> None:
        stored = self.at(scene, "first", "other/first", **LATER)
        drift = scene.one(stored=stored)

        assert (drift.kind, drift.subject, drift.nodes) == ("output", "first", ("a",))
        assert drift.detail == "it is now at other/first, and was saved at first"
        chain = [journal.link() for journal in scene.journals]
        found = plan_resume(chain, scene.now.nodes, stored, drift=(drift,))
        assert found.to_run == ("a", "b", "c"), "though redo was not asked for"
        assert "is now at other/first" in found.decisions[0].reason

    @pytest.mark.parametrize(
        ("recorded", "now"),
        [
            ("/was/data/x", "data/x"),  # the project may be somewhere else now
            ("data/x", "data/x"),
            ("./data/../data/x", "data/x"),
            ("/data/x", "/data/x"),
            ("s3://bucket/x", "s3://bucket/x"),
            ("s3://[redacted]@host/x", "s3://[redacted]@host/x"),
            ("s3://[redacted]@host/x", "s3://user:word@host/x"),
            ("s3://user:word@host/x", "s3://[redacted]@host/x"),
            ("/home/[redacted]/project/data/x", "data/x"),
            ("/data/x/2026-01-01T00.00.00.000Z/x", "/data/x/2026-01-01T00.00.00.000Z/x"),
            ("/was/data/x", None),
            (None, "data/x"),
            (None, None),
        ],
    )  # fmt: skip
    def test_what_may_be_the_same_place_is_no_drift(
        self, scene: Scene, recorded: str | None, now: str | None
    ) -> None:
        (journal,) = scene.journals
        for number, record in enumerate(journal.records):
            if isinstance(record.event, DatasetSaved) and record.event.node == "a":
                event = replaced(record.event, path=recorded)
                journal.records[number] = replaced(record, event=event)
        assert scene.drift(stored=self.at(scene, "first", now, **LATER)) == ()

    @pytest.mark.parametrize(
        ("recorded", "now"),
        [
            ("/was/data/x", "data/y"),
            ("/was/data/x", "/was/data/x"),  # not in the project that is here now
            ("data/x", "/data/x"),
            ("s3://bucket/x", "s3://another/x"),
            ("s3://bucket/x", "gs://bucket/x"),
            ("/data/x", "/data/x/2026-01-01T00.00.00.000Z/x"),
            ("s3://[redacted]@host/x", "s3://[redacted]@host/y"),
            ("/home/[redacted]/project/data/x", "data/y"),
        ],
    )
    def test_what_cannot_be_is(self, scene: Scene, recorded: str, now: str) -> None:
        (journal,) = scene.journals
        for number, record in enumerate(journal.records):
            if isinstance(record.event, DatasetSaved) and record.event.node == "a":
                event = replaced(record.event, path=recorded)
                journal.records[number] = replaced(record, event=event)
        stored = self.at(scene, "first", now, **LATER)
        assert scene.one(stored=stored).kind == "output"

    def test_the_same_file_by_another_path_is_the_same(self, scene: Scene) -> None:
        assert scene.drift(stored=self.at(scene, "first", "/by/a/link")) == ()
        stored = self.at(scene, "first", "/by/a/link", size_bytes=3)
        assert scene.one(stored=stored).kind == "output"

    def test_a_free_input_that_is_elsewhere_concerns_those_that_loaded_it(
        self, scene: Scene
    ) -> None:
        stored = self.at(scene, "first", "first")
        drift = scene.one(
            stored=stored,
            entries={"raw": "new/raw", "other": "data/other"},
            entries_before=({"raw": "data/raw", "other": "data/other"},),
        )
        assert (drift.kind, drift.subject, drift.nodes) == ("input", "raw", ("a",))
        assert drift.detail == "it is now at new/raw, and was at data/raw"

    def test_one_that_nothing_loaded_yet_concerns_those_that_will(
        self, scene: Scene
    ) -> None:
        drift = scene.one(
            stored=self.at(scene, "first", "first"),
            entries={"other": "new/other"},
            entries_before=({"other": "data/other"},),
        )
        assert (drift.subject, drift.nodes) == ("other", ("c",))

    def test_another_environment_names_the_nodes_whose_data_cannot_be_compared(
        self, scene: Scene
    ) -> None:
        same = {"raw": "data/raw"}
        stored = self.at(scene, "second", None)
        places = {"entries": same, "entries_before": (same,)}
        drift = scene.one(stored=stored, env="prod", **places)
        assert (drift.kind, drift.subject, drift.nodes) == (
            "env",
            "environment",
            ("b",),
        )
        assert drift.detail.startswith("it is prod, and was base")
        assert scene.drift(stored=stored, env="base", **places) == ()
        drift = scene.one(stored=self.at(scene, "first", "first"), env="prod")
        assert drift.nodes == ("a",), "its free input has no place"


def test_configuration_commit_and_packages_name_no_nodes() -> None:
    found = Scene().drift(
        config_sha256={"conf/base/parameters.yml": "33"},
        git=Git(sha="fedcba9876543210", dirty=True),
        versions=Versions(python="3.12.1", kedro="1.7.0", packages_sha256="bb"),
    )
    assert [(one.kind, one.subject, one.detail, one.nodes) for one in found] == [
        ("configuration", "conf/base/catalog.yml", "it is gone", ()),
        (
            "git",
            "commit",
            "it is fedcba987654 with changes, and was 0123456789ab",
            (),
        ),
        (
            "packages",
            "environment",
            "different distributions or versions are installed",
            (),
        ),
        ("packages", "python", "it is 3.12.1, and was 3.11.7", ()),
    ]


def test_what_drifted_is_redone_with_what_follows_if_that_is_asked() -> None:
    scene = Scene()
    nodes = changed(LINE, "a", source_sha256="another")["nodes"]
    drift = scene.drift(nodes=nodes)
    chain = [journal.link() for journal in scene.journals]
    stored = scene.world.stored(chain)

    assert plan_resume(chain, nodes, stored, drift=drift).to_run == ("c",)
    found = plan_resume(chain, nodes, stored, drift=drift, redo_drifted=True)
    assert found.to_run == ("a", "b", "c")
    assert found.decisions[0].reason.startswith("code a: the source of nodes.a")


def test_times_are_compared_and_not_guessed() -> None:
    scene = Scene()
    loaded = scene.journals[0].link().run.nodes["a"].loads["raw"].ended_at
    assert loaded is not None
    for moment, told in ((loaded, 0), (loaded + timedelta(microseconds=1), 1)):
        scene.world.disk["raw", ""].written_at = moment
        assert len(scene.drift()) == told


class TestDriftOfWhatIsCut:
    def parameters(self, value: object) -> tuple[dict[str, Any], dict[str, str]]:
        return Redactor().parameters({"model": value})

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("q" * 20_000, "q" * 19_999 + "r"),
            ([1] * 2000, [1] * 1999 + [2]),
            ({"v": [1] * 2000, "w": 1}, {"v": [1] * 1999 + [2], "w": 1}),
            (["q" * 900] * 50, ["q" * 900] * 49 + ["r" * 900]),
            ({f"k{n}": n for n in range(1401)}, {f"k{n}": n for n in range(1402)}),
        ],
        ids=["text", "list", "nested", "bytes", "mapping"],
    )
    def test_a_change_beyond_the_limits_is_a_change(
        self, before: object, after: object
    ) -> None:
        scene = Scene()
        shown, cut = self.parameters(before)
        assert list(cut) == ["model"]
        loaded = ContextLoaded(
            parameters=shown, parameters_cut=cut, parameters_sha256="x"
        )
        (journal,) = scene.journals
        journal.add(loaded, scene.world.tick())
        now = {"config_sha256": {}, "parameters": shown, "parameters_cut": cut}
        assert not scene.drift(**now)

        shown, cut = self.parameters(after)
        now |= {"parameters": shown, "parameters_cut": cut}
        found = scene.drift(**now)
        assert found
        for one in found:
            assert one.kind == "parameter"
            assert one.subject.startswith("params:model")
            assert len(one.detail) < 1200

    def test_a_masked_secret_is_in_no_hash(self) -> None:
        one = self.parameters({"password": "first-secret", "v": [1] * 2000})
        other = self.parameters({"password": "other-secret", "v": [1] * 2000})
        assert one == other


def test_a_typed_parameter_concerns_those_that_take_a_field_of_it() -> None:
    scene = Scene()
    before = {"model": {"$type": "x.Model", "$fields": {"lr": 0.1, "depth": 3}}}
    after = {"model": {"$type": "x.Model", "$fields": {"lr": 0.2, "depth": 3}}}
    (journal,) = scene.journals
    loaded = ContextLoaded(parameters=before, parameters_sha256="x")
    journal.add(loaded, scene.world.tick())
    assert replaced(loaded, parameters=before) == loaded
    (found,) = scene.drift(config_sha256={}, parameters=after)
    assert (found.subject, found.nodes) == ("params:model.lr", ("b", "c"))
