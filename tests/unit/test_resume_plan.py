"""What is left to run is decided from records alone, with reasons and proofs."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from resume_world import Journal, Kind, Lost, Phase, World, node

from kedro_journal.analysis import Link, ResumePlan, Stored, plan_resume
from kedro_journal.analysis.evidence import bare
from kedro_journal.events import PlannedNode, RunCompleted, RunStarted

LINE = [
    node("a", ["raw"], ["first"]),
    node("b", ["first"], ["second"]),
    node("c", ["second", "params:x"], ["third"]),
]


def world(kinds: dict[str, Kind] | None = None, nodes: Any = LINE) -> World:
    return World(nodes, kinds or {})


def names(made: World) -> list[str]:
    return [one.name for one in made.nodes]


def plan(made: World, *journals: Journal, **more: Any) -> ResumePlan:
    chain = [journal.link() for journal in journals]
    return plan_resume(chain, made.nodes, made.stored(chain), **more)


def told(found: ResumePlan) -> dict[str, tuple[str, str]]:
    return {one.name: (one.decision, one.reason) for one in found.decisions}


def decided(found: ResumePlan) -> dict[str, str]:
    return {one.name: one.decision for one in found.decisions}


def run(made: World, *done: str, **broken: Phase) -> Journal:
    """A session in which nodes completed, and others died in a phase."""
    journal, memory = made.begin("s0", names(made)), dict[str, str]()
    for name in done:
        made.execute(journal, name, memory)
    for name, phase in broken.items():
        made.execute(journal, name, memory, until=phase)
    return journal


def go_on(made: World, found: ResumePlan, *journals: Journal) -> Journal:
    """Carry a plan out to its end."""
    after = made.begin(f"s{len(journals)}", found.to_run, journals[-1])
    memory: dict[str, str] = {}
    for name in found.to_run:
        made.execute(after, name, memory, pins=pins_of(found, after))
    return after


def pins_of(found: ResumePlan, after: Journal) -> dict[str, str]:
    """The versions that a session is to load."""
    own = dict.fromkeys(found.own_versions, after.session_id)
    return {**own, **found.load_versions}


def seqs_of(journal: Journal, type_: str, of: str) -> tuple[int, ...]:
    return tuple(
        record.seq
        for record in journal.records
        if record.type == type_ and getattr(record.event, "node", "") == of
    )


class TestOneSession:
    def test_what_completed_is_done_and_the_record_proves_it(self) -> None:
        made = world()
        journal = run(made, "a", "b")
        found = plan(made, journal)

        assert decided(found) == {"a": "done", "b": "done", "c": "to do"}
        assert (found.done, found.to_run) == (("a", "b"), ("c",))
        (a, _, c) = found.decisions
        assert a.session_id == "s0"
        assert a.seqs == seqs_of(journal, "node.completed", "a")
        assert a.reason == f"it completed (record {a.seqs[0]})"
        assert (c.reason, c.session_id, c.seqs) == ("it did not start", "", ())

    @pytest.mark.parametrize(
        ("phase", "decision", "reason", "proof"),
        [
            ("loading", "to do", "it was loading", "dataset.loading"),
            ("running", "to do", "it was running", "node.started"),
            ("failed", "to do", "it failed while running", "node.failed"),
            ("computed", "to do", "it was saving", "node.computed"),
            ("saving", "suspect", "may be incomplete", "dataset.saving"),
            ("saved one", "suspect", "it did not complete", "node.computed"),
        ],
    )
    def test_how_far_a_node_came(
        self, phase: Phase, decision: str, reason: str, proof: str
    ) -> None:
        made = world()
        journal = run(made, "a", b=phase)
        (_, b, _) = plan(made, journal).decisions

        assert b.decision == decision
        assert reason in b.reason
        assert b.seqs == seqs_of(journal, proof, "b")
        assert f"(record {b.seqs[0]})" in b.reason

    def test_a_half_written_file_is_not_trusted_though_it_exists(self) -> None:
        made = world()
        journal = run(made, "a", b="saving")
        assert made.disk["second", ""].content == "half"

        assert decided(plan(made, journal))["b"] == "suspect"

    def test_nothing_on_disk_can_be_half_written_in_memory(self) -> None:
        made = world({"second": "memory"})
        found = plan(made, run(made, "a", b="saving"))

        assert decided(found)["b"] == "to do"

    def test_memory_is_made_again_only_where_it_is_needed(self) -> None:
        made = world({"first": "memory", "second": "memory"})
        found = plan(made, run(made, "a", "b"))
        reason = "its output second lived in memory, and c needs it"
        assert told(found)["b"] == ("redo", reason)
        assert found.to_run == ("a", "b", "c")

        made = world({"first": "memory"})
        found = plan(made, run(made, "a", "b"))
        assert found.to_run == ("c",)

    def test_a_result_in_memory_alone_is_not_made_again(self) -> None:
        made = world({"third": "memory"})
        assert plan(made, run(made, "a", "b", "c")).to_run == ()

    def test_parallel_runs_complete_a_set_and_no_prefix(self) -> None:
        nodes = [
            node("left", ["raw"], ["l"]),
            node("right", ["raw"], ["r"]),
            node("more", ["r"], ["m"]),
            node("join", ["l", "m"], ["j"]),
        ]
        made = world(nodes=nodes)
        found = plan(made, run(made, "right", "more", left="running"))

        assert found.to_run == ("left", "join")

    def test_a_deleted_output_is_made_again_and_nothing_else(self) -> None:
        made = world()
        journal = run(made, "a", "b", "c")
        del made.disk["second", ""]
        found = plan(made, journal)

        assert told(found)["b"] == ("redo", "its output second is gone")
        assert found.to_run == ("b",)

    @pytest.mark.parametrize("exact", [True, False])
    def test_a_changed_output_is_made_again(self, exact: bool) -> None:
        made = world()
        made.exact = exact
        journal = run(made, "a", "b", "c")
        made.write("second", "edited")
        (_, b, _) = (found := plan(made, journal)).decisions

        assert found.to_run == ("b",)
        assert b.seqs == seqs_of(journal, "dataset.saved", "b")
        assert b.reason == (
            "its output second was written again after it was saved "
            f"(record {b.seqs[0]})"
        )

    def test_an_older_file_put_back_is_a_change_too(self) -> None:
        made = world()
        journal = run(made, "a", "b", "c")
        made.disk["second", ""].written_at -= timedelta(days=30)

        # Nobody knows when that was: c may have loaded it.
        assert plan(made, journal).to_run == ("b", "c")

    def test_without_exact_times_an_older_file_is_believed(self) -> None:
        made = world()
        made.exact = False
        journal = run(made, "a", "b", "c")
        made.disk["second", ""].written_at -= timedelta(seconds=9)

        assert plan(made, journal).to_run == ()

    def test_another_size_is_a_change_at_any_time(self) -> None:
        made = world()
        chain = [run(made, "a", "b", "c").link()]
        saved = chain[0].run.nodes["b"].saves["second"]
        stored = made.stored(chain)
        stored["second"] = Stored(persistent=True, exists=True, size_bytes=5)
        assert plan_resume(chain, made.nodes, stored).to_run == ()
        nodes = dict(chain[0].run.nodes)
        nodes["b"] = replaced(
            nodes["b"], saves={"second": replaced(saved, size_bytes=7)}
        )
        sized = [chain[0]._replace(run=replaced(chain[0].run, nodes=nodes))]
        sized[0] = with_run(sized[0])
        (_, b, _) = plan_resume(sized, made.nodes, stored).decisions
        assert "it has 5 bytes, and 7 were saved" in b.reason

    def test_what_loaded_a_changed_output_runs_again_as_well(self) -> None:
        made = world()
        journal, memory = made.begin("s0", names(made)), dict[str, str]()
        made.execute(journal, "a", memory)
        made.write("first", "edited before b loads it")
        made.execute(journal, "b", memory)
        found = plan(made, journal)

        assert found.to_run == ("a", "b", "c")
        assert "first may have been changed before it was loaded" in told(found)["b"][1]

    def test_two_datasets_at_one_place_are_no_change(self) -> None:
        made = world()
        chain = [run(made, "a", "b").link()]
        nodes = dict(chain[0].run.nodes)
        saves = {
            name: nodes[name].saves[output]
            for name, output in (("a", "first"), ("b", "second"))
        }
        for name, output in (("a", "first"), ("b", "second")):
            at_one = replaced(saves[name], path="data/table")
            nodes[name] = replaced(nodes[name], saves={output: at_one})
        link = with_run(chain[0]._replace(run=replaced(chain[0].run, nodes=nodes)))
        stored = made.stored(chain)
        stored["first"] = stored["second"]

        assert plan_resume([link], made.nodes, stored).to_run == ("c",)

    def test_datasets_that_do_not_tell_are_believed(self) -> None:
        made = world()
        chain = [run(made, "a", "b").link()]
        silent = {name: Stored(persistent=True) for name in made.stored(chain)}

        assert plan_resume(chain, made.nodes, silent).to_run == ("c",)

    def test_a_node_that_saves_nothing_is_done_when_it_completed(self) -> None:
        nodes = [node("tell", ["raw"], []), node("a", ["raw"], ["first"])]
        made = world(nodes=nodes)
        assert plan(made, run(made, "tell")).to_run == ("a",)
        assert plan(made, run(made, "a", tell="running")).to_run == ("tell",)

    def test_a_transcoded_dataset_is_one_dataset(self) -> None:
        nodes = [node("a", ["raw"], ["t@spark"]), node("b", ["t@pandas"], ["second"])]
        made = world(nodes=nodes)
        assert plan(made, run(made, "a")).to_run == ("b",)
        assert plan(made, run(made, "a", "b"), from_nodes=["a"]).to_run == ("a", "b")

        made = world({"t": "memory"}, nodes)
        assert plan(made, run(made, "a")).to_run == ("a", "b")

    def test_asked_for_nodes_run_again_with_all_that_follows(self) -> None:
        made = world()
        found = plan(made, run(made, "a", "b", "c"), from_nodes=["b"])

        assert found.to_run == ("b", "c")
        assert told(found)["b"][1] == "it was requested"
        assert told(found)["c"][1] == "it follows from b, which runs again"

    def test_new_nodes_run_and_nodes_that_are_gone_do_not(self) -> None:
        made = world()
        journal = run(made, "a", "b")
        made.nodes = [*LINE[:2], node("new", ["first"], ["fourth"])]

        assert plan(made, journal).to_run == ("new",)


class TestOnlyMissingOutputs:
    def asked(self, made: World, *done: str, **broken: Phase) -> Journal:
        """As `run`, of a run that was to make missing outputs only."""
        journal = run(made, *done, **broken)
        for number, record in enumerate(journal.records):
            if isinstance(record.event, RunStarted):
                filters = {"only_missing_outputs": True}
                journal.records[number] = replaced(
                    record, event=replaced(record.event, filters=filters)
                )
        return journal

    def test_what_was_there_before_the_run_is_kept(self) -> None:
        made = world()
        made.write("first", "of an earlier run")
        made.write("second", "of an earlier run")
        found = plan(made, self.asked(made))

        assert found.to_run == ("c",)
        assert "its outputs existed" in told(found)["a"][1]

    def test_what_came_since_is_not(self) -> None:
        made = world()
        journal = self.asked(made)
        made.write("first", "by somebody else")

        assert plan(made, journal).to_run == ("a", "b", "c")

    def test_memory_is_made_where_it_is_needed(self) -> None:
        made = world({"first": "memory"})
        made.write("second", "of an earlier run")
        assert plan(made, self.asked(made)).to_run == ("c",)

        made = world({"first": "memory"})
        assert plan(made, self.asked(made)).to_run == ("a", "b", "c")


class TestVersions:
    def test_an_input_is_loaded_at_the_version_that_was_saved(self) -> None:
        made = world({"second": "versioned"})
        journal = run(made, "a", "b")
        made.write("second", "newer", "s0z")
        found = plan(made, journal)

        assert (found.to_run, found.load_versions) == (("c",), {"second": "s0"})

    def test_what_is_made_anew_is_not_pinned(self) -> None:
        made = world({"first": "memory", "second": "versioned"})
        journal = run(made, "a", "b")
        del made.disk["second", "s0"]

        found = plan(made, journal)
        assert (found.load_versions, found.own_versions) == ({}, ("second",))

    def test_only_what_is_loaded_is_pinned(self) -> None:
        made = world({"first": "versioned"})
        assert plan(made, run(made, "a", "b")).load_versions == {}

    def test_a_deleted_version_is_made_again_whatever_else_there_is(self) -> None:
        made = world({"second": "versioned"})
        journal = run(made, "a", "b", "c")
        made.write("second", "newer", "s0z")
        del made.disk["second", "s0"]

        assert plan(made, journal).to_run == ("b",)

    def test_a_free_input_is_loaded_at_the_version_that_was_loaded(self) -> None:
        nodes = [node("a", ["table"], ["first"]), node("b", ["table"], ["second"])]
        made = world({"table": "versioned"}, nodes)
        made.write("table", "old", "v1")
        journal = run(made, "a")
        made.write("table", "new", "v2")

        assert plan(made, journal).load_versions == {"table": "v1"}

    def test_what_the_original_was_pinned_to_stays_so(self) -> None:
        made = world({"first": "versioned"})
        link = run(made, "a").link()
        pinned = replaced(link.run, load_versions=(("raw", "v7"), ("first", "v3")))
        chain = [Link(link.state, pinned)]
        found = plan_resume(chain, made.nodes, made.stored(chain))

        assert found.load_versions == {"raw": "v7", "first": "v3"}

    def test_a_transcoded_version_goes_by_its_one_name(self) -> None:
        nodes = [node("a", ["raw"], ["t@x"]), node("b", ["t@y"], ["second"])]
        made = world({"t": "versioned"}, nodes)

        assert plan(made, run(made, "a")).load_versions == {"t@y": "s0"}


class TestChains:
    def test_each_node_counts_where_it_was_last_at_work(self) -> None:
        made = world()
        first = run(made, "a", b="failed")
        then = made.begin("s1", ["b", "c"], first)
        made.execute(then, "b", {})
        found = plan(made, first, then)

        assert found.to_run == ("c",)
        assert [one.session_id for one in found.decisions] == ["s0", "s1", ""]
        assert (found.session_id, found.chain) == ("s1", ("s0", "s1"))

    def test_the_pipeline_is_the_originals(self) -> None:
        made = world({"first": "memory"})
        first = run(made, "a", "b")
        found = plan(made, first)
        assert found.to_run == ("c",)
        then = made.begin("s1", found.to_run, first)

        assert [one.name for one in plan(made, first, then).decisions] == names(made)

    def test_what_a_resumed_session_was_to_run_again_is_still_to_run(self) -> None:
        made = world()
        first = run(made, "a", "b", c="failed")
        asked = plan(made, first, from_nodes=["a"])
        then = made.begin("s1", asked.to_run, first)
        made.execute(then, "a", {})
        found = plan(made, first, then)

        assert found.to_run == ("b", "c")
        reason = "session s1 was to run it again, and did not get to it"
        assert told(found)["b"] == ("redo", reason)

    def test_memory_made_again_makes_nothing_else_run_again(self) -> None:
        nodes = [
            node("a", ["raw"], ["table", "held"]),
            node("b", ["table"], ["second"]),
            node("c", ["held"], ["third"]),
        ]
        made = world({"held": "memory"}, nodes)
        first = run(made, "a", "b", c="failed")
        assert plan(made, first).to_run == ("a", "c")
        then = made.begin("s1", ["a", "c"], first)
        memory: dict[str, str] = {}
        made.execute(then, "a", memory)
        made.execute(then, "c", memory, until="failed")

        assert plan(made, first, then).to_run == ("a", "c")

    def test_versions_come_from_whoever_saved_last(self) -> None:
        made = world({"first": "versioned", "second": "versioned"})
        first = run(made, "a", b="failed")
        then = made.begin("s1", ["b", "c"], first)
        made.execute(then, "b", {}, pins={"first": "s0"})
        found = plan(made, first, then, from_nodes=["b"])

        assert found.load_versions == {"first": "s0"}
        assert plan(made, first, then).load_versions == {"second": "s1"}


class TestAttempts:
    def test_a_later_attempt_counts_over_an_earlier_one(self) -> None:
        made = world()
        journal = run(made, "a", b="failed")
        made.start_run(journal, names(made), attempt=2)
        made.execute(journal, "a", {}, attempt=2)
        made.execute(journal, "b", {}, attempt=2)
        found = plan(made, journal)

        assert found.to_run == ("c",)
        completed = seqs_of(journal, "node.completed", "a")
        assert found.decisions[0].seqs == completed[1:]

    def test_what_an_earlier_attempt_completed_is_done_as_long_as_it_fits(self) -> None:
        made = world()
        journal = run(made, "a", "b", c="failed")
        made.start_run(journal, names(made), attempt=2)
        assert plan(made, journal).to_run == ("c",)

        made.execute(journal, "a", {}, attempt=2)
        found = plan(made, journal)
        assert found.to_run == ("b", "c")
        assert told(found)["b"] == ("redo", "a ran again after it, in attempt 2")

    def test_other_runs_of_the_session_prove_nothing(self) -> None:
        made = world()
        other = run(made, "a", "b", "c")
        other.add(RunCompleted(run_id=other.run_id), made.tick())
        other.run_id = "another run"
        made.start_run(other, names(made))

        assert plan(made, other).to_run == ("a", "b", "c")


# -- properties ----------------------------------------------------------------------

PHASES: Sequence[Phase] = (
    "loading", "running", "failed", "computed", "saving", "saved one",
)  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any pipeline of up to seven nodes, on any kinds of datasets."""
    nodes: list[PlannedNode] = []
    kinds: dict[str, Kind] = {}
    made = ["raw", "raw2", "params:x"]
    for number in range(draw(st.integers(2, 7))):
        pool = st.sampled_from(made[3:] or made)  # chains, more than single nodes
        inputs = draw(st.lists(pool, min_size=1, max_size=2, unique=True))
        inputs += draw(st.lists(st.sampled_from(made[:3]), max_size=1))
        outputs = []
        for letter in draw(st.sampled_from(["a", "a", "ab"])):
            name = f"d{number}{letter}"
            kinds[name] = draw(st.sampled_from(["memory", "file", "versioned"]))
            twice = draw(st.booleans())
            outputs.append(f"{name}@x" if twice else name)
            made.append(f"{name}@y" if twice else name)
        nodes.append(node(f"n{number}", dict.fromkeys(inputs), outputs))
    return World(nodes, kinds, exact=draw(st.booleans()))


def die(
    draw: st.DrawFn,
    made: World,
    journal: Journal,
    to_run: Sequence[str],
    pins: dict[str, str],
) -> None:
    """Run for a while: any set of nodes completes, any others are in the middle."""
    waiting, memory = set(to_run), dict[str, str]()
    for one in made.nodes:
        if one.name not in waiting:
            continue
        makers = {made.makers.get(bare(name)) for name in one.inputs}
        ready = not makers & waiting
        until = draw(st.sampled_from(["end"] * 9 + ["nothing", *PHASES]))
        if not ready or until == "nothing":
            continue
        phase = None if until == "end" else until
        made.execute(journal, one.name, memory, pins=pins, until=phase)  # type: ignore[arg-type]
        if until == "end":
            waiting.discard(one.name)
            disturb(draw, made, [one.name])


def disturb(draw: st.DrawFn, made: World, makers: Sequence[str]) -> None:
    """Delete or change some of what was saved, or save newer versions."""
    for name, version in list(made.disk):
        if made.makers.get(name) not in makers:
            continue
        if made.disk[name, version].content == "changed":
            continue  # of two changes, only the last can be seen
        match draw(st.sampled_from(["", "", "delete", "change", "newer", "newer"])):
            case "delete" if len(makers) > 1:
                del made.disk[name, version]
            case "change":
                made.write(name, "changed", version)
            case "newer" if version and len(makers) > 1 and not version.endswith("z"):
                made.write(name, "foreign", draw(st.sampled_from([version, "t"])) + "z")


@st.composite
def broken(draw: st.DrawFn) -> tuple[World, list[Journal]]:
    """A world with a chain of one to three sessions that died."""
    made = draw(worlds())
    journals: list[Journal] = []
    to_run, pins = names(made), dict[str, str]()
    for number in range(draw(st.sampled_from([1, 2, 2, 3]))):
        if journals:
            again = draw(st.lists(st.sampled_from(names(made)), max_size=1))
            for name in again:
                made.code[name] = made.code.get(name, 0) + 1
            found = plan(made, *journals, from_nodes=again)
            to_run = list(found.to_run)
        parent = journals[-1] if journals else None
        journal = made.begin(f"s{number}", to_run, parent)
        if journals:
            pins = pins_of(found, journal)
        die(draw, made, journal, to_run, dict(pins))
        disturb(draw, made, names(made))
        journals.append(journal)
    return made, journals


CAREFULLY = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(broken())
@CAREFULLY
def test_a_resumed_run_ends_as_if_nothing_had_happened(
    case: tuple[World, list[Journal]],
) -> None:
    made, journals = case
    found = plan(made, *journals)
    after = go_on(made, found, *journals)

    chain = [journal.link() for journal in (*journals, after)]
    assert made.left(chain) == made.expected()
    assert plan(made, *journals, after).to_run == ()


@given(broken())
@CAREFULLY
def test_no_node_that_completed_runs_again_without_need(
    case: tuple[World, list[Journal]],
) -> None:
    made, journals = case
    found = plan(made, *journals)
    for one in found.decisions:
        (outputs,) = (n.outputs for n in made.nodes if n.name == one.name)
        in_memory = all(made.kind(output) == "memory" for output in outputs)
        if one.decision != "redo" or (in_memory and "in memory" not in one.reason):
            continue  # what else it did nobody sees here
        event("a node is redone")
        elsewhere = copy.deepcopy(made)
        left_out = tuple(name for name in found.to_run if name != one.name)
        after = elsewhere.begin("s9", left_out, journals[-1])
        memory: dict[str, str] = {}
        try:
            for name in left_out:
                elsewhere.execute(after, name, memory, pins=pins_of(found, after))
        except Lost:
            continue
        chain = [journal.link() for journal in (*journals, after)]
        assert elsewhere.left(chain) != elsewhere.expected(), one


@given(broken())
@CAREFULLY
def test_every_decision_names_records_that_say_so(
    case: tuple[World, list[Journal]],
) -> None:
    made, journals = case
    records = {journal.session_id: journal.records for journal in journals}
    for one in plan(made, *journals).decisions:
        assert one.reason
        for seq in one.seqs:
            event_ = records[one.session_id][seq - 1].event
            assert getattr(event_, "node", None) == one.name
        if one.decision == "done":
            assert len(one.seqs) == 1


@given(broken())
@CAREFULLY
def test_a_plan_is_a_function_of_what_it_is_given(
    case: tuple[World, list[Journal]],
) -> None:
    made, journals = case
    assert plan(made, *journals) == plan(made, *journals)


def replaced(value: Any, **fields: Any) -> Any:
    """A copy of a Struct with other fields."""
    import msgspec

    return msgspec.structs.replace(value, **fields)


def with_run(link: Link) -> Link:
    """A link whose state has that run."""
    return Link(replaced(link.state, runs=(link.run,)), link.run)
