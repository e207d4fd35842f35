"""A report as text: groups, statuses, advice, and what survives."""

from __future__ import annotations

from datetime import UTC, datetime

from kedro_journal.doctor import Check, Guarantee, Report
from kedro_journal.doctor.model import note, ok, problem
from kedro_journal.views import Screen, doctor_data, doctor_view
from kedro_journal.views.terminal import cells

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SAID = (
    Guarantee(key="process_death", holds="yes", text="All survives."),
    Guarantee(key="power_loss", holds="no", text="Nothing survives."),
)


def report(
    *checks: Check, guarantees: tuple[Guarantee, ...] = SAID, **more: object
) -> Report:
    return Report(
        directory="/j",
        probed="/j",
        project=None,
        durability="sync",
        checks=checks,
        not_probed=more.get("not_probed", ()),  # type: ignore[arg-type]
        guarantees=guarantees,
        duration_s=1.24,
    )


def test_checks_stand_in_groups_with_their_advice() -> None:
    made = report(
        ok("settings.a", "It reads."),
        note("locks.a", "It is odd.", "Look at it."),
        problem("locks.b", "It is broken.", "Mend it."),
    )

    assert doctor_view(made, Screen(NOW)) == (
        "Settings\n"
        "  ok       It reads.\n"
        "\n"
        "Locks\n"
        "  note     It is odd.\n"
        "           Look at it.\n"
        "  problem  It is broken.\n"
        "           Mend it.\n"
        "\n"
        "What survives here, with durability sync\n"
        "  A process dies: All survives.\n"
        "  Power is lost: Nothing survives.\n"
        "\n"
        "1 problem, 1 note in 3 checks, 1.2 s\n"
    )


def test_one_answer_to_everything_is_said_once() -> None:
    same = (
        Guarantee(key="process_death", holds="no", text="Nothing at all."),
        Guarantee(key="power_loss", holds="no", text="Nothing at all."),
    )

    text = doctor_view(report(ok("place.a", "x"), guarantees=same), Screen(NOW))

    assert text.count("Nothing at all.") == 1
    assert "all is well in 1 check" in text


def test_what_could_not_be_tried_is_named() -> None:
    made = report(ok("place.a", "x"), not_probed=("locks.look", "locks.killed"))

    assert "Not tried: locks.look, locks.killed.\n" in doctor_view(made, Screen(NOW))


def test_long_texts_are_wrapped_and_lose_nothing() -> None:
    words = " ".join(f"word{number}" for number in range(60))
    made = report(note("place.a", words, words))

    lines = doctor_view(made, Screen(NOW, 60)).splitlines()

    assert max(cells(line) for line in lines) <= 60
    assert " ".join(" ".join(lines).split()).count(words) == 2


def test_what_a_terminal_would_obey_is_escaped() -> None:
    made = report(problem("place.a", "/j\x1b[2J\nx", "rm \x9b1m"))

    for width in (None, 60):
        text = doctor_view(made, Screen(NOW, width))
        assert "\x1b" not in text
        assert "\x9b" not in text
        assert "\\x1b[2J\\nx" in text


def test_colours_come_from_the_status() -> None:
    made = report(ok("place.a", "x"), problem("place.b", "y", "z"))

    painted = doctor_view(
        made, Screen(NOW, paint=lambda text, role: f"<{role}:{text}>")
    )

    assert "<good:ok       >x" in painted
    assert "<bad:problem  >y" in painted
    assert "<bad:1 problem>" in painted


def test_the_data_is_the_report_and_its_worst_status() -> None:
    made = report(ok("place.a", "x"), problem("place.b", "y", "z"))

    data = doctor_data(made)

    assert data["worst"] == "problem"
    assert list(data) == ["worst", *Report.__struct_fields__]
