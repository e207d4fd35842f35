"""What somebody reads the next morning."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from kedro_journal.events import (
    CommandLine,
    DataFailure,
    DatasetValidated,
    ErrorInfo,
    FailedCheck,
    Frame,
    Git,
    JournalGap,
    JournalRepaired,
    NodeCompleted,
    NodeFailed,
    NodeStarted,
    NoteAdded,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    SessionClosed,
    SessionFailed,
    SessionResumed,
    UnknownEvent,
    Versions,
    WriterOpened,
)
from kedro_journal.journal import Finding
from kedro_journal.state import SessionState
from kedro_journal.views import (
    Detail,
    Listed,
    Screen,
    session_view,
    sessions_view,
    summary_data,
)
from kedro_journal.views.nodes import NODES_SHOWN
from kedro_journal.views.sessions import BROKE_WIDEST, _tree

LIBRARY = "/venv/lib/python3.11/site-packages"
ERROR = ErrorInfo(
    type="ValueError",
    message="bad shape",
    frames=(
        Frame(f"{LIBRARY}/kedro/runner/task.py", 88, "execute", "node.run()"),
        Frame(f"{LIBRARY}/kedro/pipeline/node.py", 12, "run", "self._func()"),
        Frame("/home/ada/mill/src/nodes.py", 33, "train", "fit(x)"),
        Frame(f"{LIBRARY}/numpy/core.py", 9, "dot", "raise ValueError"),
    ),
    snippet=("  32   x = x.T", "> 33   fit(x)"),
    remote="Traceback of the worker\n  line two",
    cause=ErrorInfo(type="KeyError", message="'price'"),
)


def show(story, screen, liveness="closed", **more):
    return session_view(story.state(liveness), screen, moments=story.moments(), **more)


def test_a_crash_names_node_dataset_process_and_since_when(story, screen):
    story.created().started("split", "train").node("split").node("train", "saving")

    text = show(story, screen, "crashed")

    head = text.splitlines()
    assert head[0] == f"{story.session_id}  crashed"
    assert "Process 4321 on mill died without closing the session" in head[1]
    assert head[2] == (
        "Node train was saving model, in process 4321, since 05:11:47 (record 16)."
    )
    assert "  train  was saving          model  src/nodes.py:11" in text


@pytest.mark.parametrize(
    ("upto", "words"),
    [("loading", "was loading table"), ("running", "was running"),
     ("saving", "was saving model")],
)  # fmt: skip
def test_a_crash_says_what_the_node_was_doing(story, screen, upto, words):
    story.created().started("train").node("train", upto)

    assert f"Node train {words}, in process 4321" in show(story, screen, "crashed")


def test_a_crash_between_two_loads_says_since_the_last_one(story, screen):
    story.created().started("train").node("train", "running")
    story.records.pop()

    text = show(story, screen, "crashed")

    assert "was loading its inputs, in process 4321, since 05:11:37 (record 6)" in text


def test_a_crash_of_a_parallel_run_names_every_node_and_worker(story, screen):
    story.created().started("a", "b")
    story.tell(WriterOpened(pid=77, role="worker"), writer="w5")
    story.tell(WriterOpened(pid=78, role="worker"), writer="w6")
    of = {"run_id": story.run_id}
    story.tell(NodeStarted(node="a", **of), writer="w5")
    story.tell(NodeStarted(node="b", **of), writer="w6")

    text = show(story, screen, "crashed")

    assert "Node a was running, in worker process 77" in text
    assert "Node b was running, in worker process 78" in text
    assert "w5 (77)" in text


def test_a_crash_outside_a_run_says_so(story, screen):
    before = show(story.created(), screen, "crashed")
    story.started("a").node("a").tell(RunCompleted(run_id=story.run_id))
    after = show(story, screen, "crashed")

    assert "No run had started." in before
    assert "Its last run had completed before." in after


def test_a_running_session_says_how_far_it_is(story, screen):
    story.created().started("split", "train").node("split").node("train", "running")

    text = show(story, screen, "running")

    assert "Running for 59 min 58 s: 1 of 2 nodes completed." in text
    assert "Node train is running, in process 4321, since" in text
    assert f"kedro-journal tail {story.session_id} -f" in text


def failed(story):
    story.created(command=CommandLine(argv=("kedro", "run"), name="run"))
    story.started("split", "train").node("split").node("train", "running")
    return story.tell(
        NodeFailed(run_id=story.run_id, node="train", duration_s=1.25, error=ERROR),
        RunFailed(run_id=story.run_id, duration_s=8.0, error=ERROR),
        SessionFailed(error=ERROR),
        SessionClosed(exit_code=1),
    )


def test_a_failure_shows_its_source_once_and_the_projects_frames(story, screen):
    text = show(failed(story), screen)

    assert "Node train failed while running, in process 4321, after 1.25 s" in text
    assert text.count("> 33   fit(x)") == 1
    assert "... 2 frames of kedro\n" in text
    assert "> src/nodes.py:33 in train\n" in text
    assert f"  {LIBRARY}/numpy/core.py:9 in dot" in text, "what raised is always shown"
    assert f"{LIBRARY}/kedro" not in text
    assert "  caused by the KeyError above" in text
    assert "    Traceback of the worker\n        line two" in text
    assert f"kedro-journal resume {story.session_id}" in text


def test_frames_of_compiled_libraries_are_not_the_projects(story, screen):
    parser = Frame(file="yaml/_yaml.pyx", line=680, function="get_single_node")
    mine = Frame(file="fast.pyx", line=3, function="fit", source="x[0]")
    error = ErrorInfo(
        type="E", message="m", frames=(mine, *[parser] * 6), snippet=(), remote=""
    )
    story.created().started("train")
    text = show(
        story.tell(RunFailed(run_id=story.run_id, duration_s=8.0, error=error)), screen
    )

    assert "> fast.pyx:3 in fit" in text
    assert "... 2 frames of yaml\n" in text
    assert "> yaml/" not in text


def test_what_broke_can_be_resumed_and_what_did_not_cannot(story, screen):
    story.created().started("train").node("train", "running")
    assert "kedro-journal resume" in show(story, screen, "crashed")
    assert "kedro-journal resume" not in show(story, screen, "running")


def test_a_crash_between_nodes_can_be_resumed(story, screen):
    text = show(story.created().started("train"), screen, "crashed")

    assert "No node was running." in text
    assert f"kedro-journal resume {story.session_id}" in text


@pytest.mark.parametrize(
    ("liveness", "closing", "verdict", "resumable"),
    [
        ("closed", RunCompleted(run_id="r2"), "completed", False),
        ("running", None, "running", False),
        ("crashed", None, "crashed", True),
        ("closed", RunFailed(run_id="r2", error=ERROR), "failed", True),
    ],
)
def test_what_was_resumed_points_to_the_session_that_goes_on(
    story, screen, liveness, closing, verdict, resumable
):
    parent = story.created().started("train").node("train", "running").state("crashed")
    story.records.clear()
    story.created().started("train", run_id="r2")
    if closing is not None:
        story.tell(closing, SessionClosed())
    heir = replace(story.state(liveness), session_id="later")

    text = session_view(parent, screen, resumed_by="next", heir=heir)

    steps = [one.split() for one in text.partition("\nNext\n")[2].splitlines()]
    assert f"kedro-journal show later it goes on: {verdict}".split() in steps
    assert ("kedro-journal resume later" in text) is resumable
    assert f"kedro-journal resume {parent.session_id}" not in text


def test_a_resume_that_ran_nothing_points_to_what_it_was_to_go_on_from(story, screen):
    story.created().tell(SessionResumed(parent_session_id="before"), SessionClosed())

    text = show(story, screen)

    assert "nothing was run. It was started to resume before." in text
    assert "kedro-journal show before" in text.partition("\nNext\n")[2]


def test_a_worker_that_outlives_its_session_is_told(story, screen):
    story.created().started("a", "b")
    story.tell(WriterOpened(pid=77, role="worker"), writer="w5")
    story.tell(NodeStarted(node="a", run_id=story.run_id), writer="w5")
    story.tell(RunInterrupted(run_id=story.run_id, reason="SIGTERM"), SessionClosed())
    alive = [story.state().writers["w5"]]

    text = show(story, screen, alive=alive)
    many = show(story, screen, alive=alive * 10)

    assert "Worker process 77 is still alive, with node a.\n" in text
    assert many.count("is still alive") == 8
    assert "and 2 more worker processes.\n" in many


def test_without_a_run_there_is_nothing_to_resume(story, screen):
    story.created().tell(SessionFailed(error=ERROR), SessionClosed())

    assert "kedro-journal resume" not in show(story, screen)


def test_the_whole_traceback_can_be_asked_for(story, screen):
    text = show(failed(story), screen, detail=Detail(traceback=True))

    assert f"{LIBRARY}/kedro/runner/task.py:88 in execute" in text


def test_a_failed_load_names_the_dataset_though_kedro_does_not(story, screen):
    story.created().started("train").node("train", "loading")
    story.tell(RunFailed(run_id=story.run_id, error=ErrorInfo(type="DatasetError")))
    story.tell(SessionClosed())

    text = show(story, screen)

    assert "Node train failed while loading table, in process 4321" in text
    assert "    in node train, while loading table" in text


def test_a_failure_before_any_run_says_when(story, screen):
    story.created()
    error = ErrorInfo(type="ValueError", message="no pipeline 'x'")
    story.tell(SessionFailed(error=error, phase="run"), SessionClosed())

    text = show(story, screen)

    assert "Failed before the run started: ValueError: no pipeline 'x'" in text


@pytest.mark.parametrize(
    ("reason", "words"),
    [("KeyboardInterrupt", "by Ctrl-C (KeyboardInterrupt)"), ("SIGTERM", "by SIGTERM")],
)
def test_an_interruption_says_by_what_and_where(story, screen, reason, words):
    story.created().started("train").node("train", "running")
    story.tell(RunInterrupted(run_id=story.run_id, reason=reason, duration_s=4.5))
    story.tell(SessionClosed())

    text = show(story, screen)

    assert f"Interrupted after 4.50 s {words}." in text
    assert "Node train was running" in text


def test_a_session_closed_amid_a_run_was_interrupted(story, screen):
    story.created().started("train").node("train", "running")
    story.tell(SessionClosed(reason="signal"))

    text = show(story, screen)

    assert f"{story.session_id}  interrupted" in text
    assert ": a signal ended it." in text


def test_quiet_ends_are_said_in_one_sentence(story, screen):
    story.created().started("a").node("a").tell(RunCompleted(run_id=story.run_id))
    completed = show(story.tell(SessionClosed()), screen)

    assert "Everything ran and was saved: 1 node, " in completed
    assert "Next" not in completed
    assert "no records of a session yet" in session_view(SessionState(), screen)


def test_a_session_without_a_run_and_one_out_of_sight_say_so(story, screen):
    elsewhere = show(story.created(), screen, "unknown")
    nothing = show(story.tell(SessionClosed()), screen)

    assert "It ran on mill. Whether it is still running cannot" in elsewhere
    assert "nothing was run" in nothing


def test_facts_are_laid_out_and_what_is_unknown_left_out(story, screen):
    story.created(
        command=CommandLine(argv=("kedro", "run", "--params", "a b=1"), name="run"),
        git=Git(sha="0123456789abcdef", branch="main", dirty=True),
        versions=Versions(python="3.11.7", kedro="1.7.0"),
        runtime_params={"model": {"lr": 0.1}},
        env="staging",
    )

    text = show(story, screen, "running", journal="/x/journal.jsonl")

    assert "command     kedro run --params 'a b=1'\n" in text
    assert "started     2026-11-22 05:11:34, 59 minutes ago\n" in text
    assert "git         0123456789 on main, with uncommitted changes\n" in text
    assert "versions    Python 3.11.7, Kedro 1.7.0\n" in text
    assert "runtime     model.lr=0.1\n" in text
    assert "env         staging\n" in text
    assert "journal     /x/journal.jsonl (3 records)\n" in text
    for absent in ("parent", "group", "labels", "runs in"):
        assert f"\n{absent} " not in text


def test_what_a_session_is_to_others_stands_with_the_facts(story, screen):
    story.created(
        parent_session_id="2026-11-21T05.11.32.000Z",
        group_id="scheduled__2026-11-22T00:00:00+00:00",
        labels={"task": "train", "team": "demand"},
        container="docker 0123456789ab",
        notebook="jupyter",
    )

    text = show(story, screen, "running")

    assert "parent      2026-11-21T05.11.32.000Z\n" in text
    assert "group       scheduled__2026-11-22T00:00:00+00:00\n" in text
    assert "labels      task=train  team=demand\n" in text
    assert "runs in     docker 0123456789ab, jupyter\n" in text


def test_parameters_are_bounded_until_all_are_asked_for(story, screen):
    parameters = {f"p{number}": number for number in range(100)}
    story.created(environment={"KEDRO_ENV": "x"}).context(parameters=parameters)

    some = show(story, screen)
    every = show(story, screen, detail=Detail(parameters=True))

    assert "p99" not in some
    assert "88 more; --parameters shows all" in some
    assert "p99" in every
    assert "KEDRO_ENV" in every


def test_a_retried_run_shows_both_attempts(story, screen):
    story.created().started("a").node("a", "running")
    busy = ErrorInfo(type="OSError", message="busy")
    story.tell(NodeFailed(run_id=story.run_id, node="a", error=busy))
    story.tell(RunFailed(run_id=story.run_id, error=busy))
    story.started("a", attempt=2).node("a", attempt=2)
    story.tell(RunCompleted(run_id=story.run_id, attempt=2), SessionClosed())

    text = show(story, screen)

    assert f"Run {story.run_id}  failed, 0 of 1 node completed" in text
    assert f"Run {story.run_id} attempt 2  completed, 1 of 1 node completed" in text
    assert "in node a, while running (attempt 1)" in text
    assert "2 attempts" in text


def test_a_long_run_shows_the_nodes_around_the_break(story, screen):
    names = [f"node_{number:03d}" for number in range(200)]
    story.created().started(*names)
    for name in names[:100]:
        of = {"run_id": story.run_id, "node": name}
        story.node(name, "saving").tell(NodeCompleted(**of))
    story.node(names[100], "running")

    text = show(story, screen, "crashed")
    whole = show(story, screen, "crashed", detail=Detail(all_nodes=True))

    shown = [name for name in names if f"  {name}  " in text]
    assert len(shown) == NODES_SHOWN
    assert "node_100" in shown
    assert "more nodes: 88 completed (--all-nodes shows them)" in text
    assert all(f"  {name}  " in whole for name in names)


def test_datasets_are_shown_under_their_node_when_asked_for(story, screen):
    story.created().started("train").node("train", "saving")

    text = show(story, screen, "crashed", detail=Detail(datasets=True))

    assert "loaded table" in text
    assert "saving model: begun, not ended" in text


def test_remarks_tell_of_gaps_repairs_and_what_does_not_fit(story, screen):
    story.created().started("a").tell(
        JournalGap(dropped=3),
        JournalRepaired(offset=10, length=4),
        UnknownEvent(type="x.y"),
        NodeCompleted(run_id=story.run_id, node="a"),  # its beginning was dropped
        NodeCompleted(run_id=story.run_id, node="a"),
        NodeStarted(run_id=None, node="a"),
        NoteAdded(text="look here", node="a"),
    )
    finding = Finding(kind="records lost", severity="error", offset=7, seq=2, lost=1)

    text = show(story, screen, "running", findings=[finding])

    assert "3 events could not be written" in text
    assert "1 repair by a writer" in text
    assert "1 record of a type unknown to this version: upgrade" in text
    assert "1 event of concurrent runs" in text
    assert "record 9, node.completed, does not fit: node a was completed" in text
    assert "error     records lost" in text
    assert "  a     look here\n" in text


def test_notes_and_log_records_are_shown_with_level_and_node(story, screen):
    story.created().started("train").tell(
        NoteAdded(text="by hand", fields={"rows": 3}),
        NoteAdded(
            text="slow\x1b[2J",
            run_id=story.run_id,
            node="train",
            level="WARNING",
            logger="mill.nodes",
        ),
    )

    text = show(story, screen, "running")

    assert "\nNotes and log records\n" in text
    assert "2026-11-22 05:11:36                  by hand  rows=3\n" in text
    assert "  WARNING  train  mill.nodes: slow\\x1b[2J\n" in text


def test_the_last_notes_are_shown_until_all_are_asked_for(story, screen):
    story.created().tell(*(NoteAdded(text=f"note {n}") for n in range(50)))

    some = show(story, screen, "running")
    every = show(story, screen, "running", detail=Detail(notes=True))

    assert "note 29\n" not in some
    assert "... 30 before; --notes shows all\n" in some
    assert "note 49\n" in some
    assert all(f"note {n}\n" in every for n in range(50))


def test_values_are_cut_to_the_width_of_the_terminal(story, screen):
    story.created().context(parameters={"text": "x" * 500}).started("n" * 300)
    narrow = screen._replace(width=80)

    lines = show(story, narrow, "closed").splitlines()

    tabled = [text for text in lines if "xxx" in text or "nnn" in text]
    assert tabled
    assert all(len(text) <= 80 for text in tabled)


def test_the_list_fits_a_hundred_columns_and_says_where_each_broke(story, screen):
    story.created(env="staging").started("split", "train").node("train", "saving")
    rows = [
        Listed(story.state("crashed")),
        Listed(story.state("running"), damaged=True),
    ]

    text = sessions_view(rows, screen._replace(width=100), more=7)
    wide = sessions_view(rows, screen)

    assert all(len(one) <= 100 for one in text.splitlines())
    first = text.splitlines()[1]
    assert first.split()[:4] == [story.session_id, "crashed", "today", "05:11"]
    assert "0/2  staging  train, saving" in first
    assert "7 older sessions not shown; --all shows them." in text
    assert "damaged  at train, saving model" in wide
    assert "staging" in wide


def test_eighty_columns_keep_room_for_where(story, screen):
    error = ErrorInfo(type="ValueError", message="no column tag")
    story.created(env="staging").started("train").node("train", "running")
    story.tell(RunFailed(run_id=story.run_id, error=error), SessionClosed())
    state = story.state()

    text = sessions_view([Listed(state)], screen._replace(width=80))

    heading, row = text.splitlines()
    assert len(row) <= 80
    assert 80 - heading.index("where") >= 25
    short = row.split()[0]
    assert state.session_id.startswith(short)
    assert len(short) == 19
    assert "took" not in heading
    assert "pipeline" not in heading


def test_ids_of_one_second_are_not_shortened(screen):
    ids = ("2026-11-22T05.11.32.000Z", "2026-11-22T05.11.32.001Z")
    rows = [Listed(SessionState(session_id=name, status="closed")) for name in ids]

    text = sessions_view(rows, screen._replace(width=80))

    assert all(name in text for name in ids)


def test_the_user_is_a_column_when_there_are_several(screen):
    def shown(*users):
        rows = [
            Listed(SessionState(session_id=f"s{n}", status="closed", user=user))
            for n, user in enumerate(users)
        ]
        return sessions_view(rows, screen)

    assert "user" not in shown("ada", "ada", None)
    assert "user" in shown("ada", "bob")
    assert "bob" in shown("ada", "bob")


def test_a_pipe_gets_the_beginning_of_a_long_error(story, screen):
    error = ErrorInfo(type="ValueError", message="long " * 100)
    story.created().started("train").node("train", "running")
    story.tell(RunFailed(run_id=story.run_id, error=error), SessionClosed())

    heading, row = sessions_view([Listed(story.state())], screen).splitlines()

    broke = row[heading.index("where") :]
    assert broke.startswith("train  ValueError: long long")
    assert len(broke) == BROKE_WIDEST


def test_list_and_show_tell_the_same_environment(story, screen):
    story.created().context(env="local")

    heading, row = sessions_view([Listed(story.state())], screen).splitlines()

    assert row[heading.index("env") :].split()[0] == "local"
    assert summary_data(story.state(), screen.now)["env"] == "local"
    assert "\nenv         local\n" in show(story, screen)


def test_columns_of_the_list_are_aligned(story, screen):
    crashed = story.created().started("train").node("train", "running").state("crashed")
    later = screen._replace(now=screen.now + timedelta(days=400))

    lines = sessions_view([Listed(crashed), Listed(SessionState(), True)], later)

    heading, first, _ = lines.splitlines()
    assert first[heading.index("verdict") :].startswith("crashed")
    assert first[heading.index("started") :].startswith("2026-11-22")
    assert first[heading.index("where") :].startswith("train")


def test_a_view_depends_on_its_arguments_only(story):
    screen = Screen(story.begin, 100)
    failed(story)

    assert show(story, screen) == show(story, screen)


def family(*pairs: tuple[str, str | None]) -> list[Listed]:
    return [
        Listed(SessionState(session_id=name, status="closed", parent_session_id=parent))
        for name, parent in pairs
    ]


def test_resumed_and_repeated_sessions_stand_under_their_parents(screen):
    rows = family(
        ("s6", "s1"), ("s5", "s3"), ("s4", None), ("s3", "s1"), ("s2", "gone"),
        ("s1", None),
    )  # fmt: skip

    shown = sessions_view(rows, screen).splitlines()[1:]

    assert [row.partition("  no run")[0].rstrip() for row in shown] == [
        "s1", "+ s3", "  + s5", "+ s6", "s4", "s2",
    ]  # fmt: skip


def test_a_ring_of_parents_hides_no_session(screen):
    rows = family(("s3", "s2"), ("s2", "s3"), ("s1", "s1"))

    shown = sessions_view(rows, screen).splitlines()[1:]

    assert sorted(row.split("no run")[0].strip("+ ") for row in shown) == [
        "s1", "s2", "s3",
    ]  # fmt: skip


def test_sessions_that_name_each_other_stand_in_a_list_once_each() -> None:
    """Also those that name themselves as their parent."""
    parents = {"a": "b", "b": "a", "c": "c", "d": "a", "e": "gone", "f": None}
    states = [
        SessionState(session_id=one, parent_session_id=parents[one]) for one in parents
    ]
    rows = _tree([Listed(state) for state in states])
    assert sorted(row.state.session_id for row, _ in rows) == sorted(parents)


def test_warnings_of_validations_are_shown(story, screen):
    check = FailedCheck(check="not_null", column="price", count=3)
    failure = DataFailure(mode="save", checks=(check,), checks_total=1, cases_total=3)
    one = {"run_id": story.run_id, "dataset": "model"}
    story.created().started("train").tell(
        *(DatasetValidated(**one) for _ in range(30)),
        DatasetValidated(**one, node="train", failure=failure),
    )

    some = show(story, screen, "running")
    every = show(story, screen, "running", detail=Detail(notes=True))

    assert "\nValidation warnings\n" in some
    assert "model did not pass on save: not_null (3 values) (node train)\n" in some
    assert "before; --notes shows all\n" in some
    assert 31 == every.count("model did not pass")
    assert 31 == len(story.state().validation_warnings)
