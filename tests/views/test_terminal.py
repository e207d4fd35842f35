"""Nothing that a journal holds is obeyed by a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_journal.events import (
    CommandLine,
    ErrorInfo,
    Frame,
    Git,
    NodeFailed,
    NoteAdded,
    RunFailed,
    SessionFailed,
)
from kedro_journal.views import (
    Detail,
    Listed,
    Span,
    Timeline,
    escape,
    json_text,
    line,
    render,
    session_view,
    sessions_view,
    state_data,
)
from kedro_journal.views.terminal import cells, clip, pad, text_lines

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\r\n\t\x00\x7f\x85\x9b31m"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u2028\u061c"
)


def obeyed(text: str) -> list[str]:
    """Give the characters of a text that a terminal would obey, newlines left out."""
    return [
        char
        for char in text
        if char != "\n"
        and (
            ord(char) < 0x20
            or 0x7F <= ord(char) <= 0x9F
            or 0x202A <= ord(char) <= 0x202E
            or 0x2066 <= ord(char) <= 0x2069
            or char in "\u200e\u200f\u061c\u2028\u2029"
        )
    ]


def test_the_hostile_text_is_hostile():
    assert len(obeyed(HOSTILE)) > 20


@pytest.mark.parametrize("char", [chr(code) for code in (*range(32), *range(127, 160))])
def test_every_c0_and_c1_control_is_written_in_ascii(char):
    assert escape(f"a{char}b").isprintable()


def test_escapes_say_which_character_it_was():
    text = "\x1b \x9b \u202e \n\t\r"

    assert escape(text) == "\\x1b \\x9b \\u202e \\n\\t\\r"


def test_ordinary_text_of_any_script_is_left_alone():
    text = "Wärme, 温度, температура, 🙂 e\u0301"

    assert escape(text) == text


@given(st.text(st.characters(exclude_categories=())))
def test_no_text_at_all_gets_through(text):
    rendered = render([line(Span(text, "bad")), *text_lines(text)])

    assert obeyed(rendered) == []
    rendered.encode()


@given(st.text(), st.integers(min_value=3, max_value=40))
def test_a_clipped_line_fits_and_a_padded_one_fills(text, width):
    clipped = clip(line(text), width)

    assert cells(clipped) <= width
    assert cells(pad(clipped, width)) == width


def test_colour_is_put_around_escaped_text():
    rendered = render(
        [line(Span("a\x1bb", "bad"))], lambda text, role: f"<{role}:{text}>"
    )

    assert rendered == "<bad:a\\x1bb>\n"


def hostile_error() -> ErrorInfo:
    return ErrorInfo(
        type=HOSTILE,
        message=HOSTILE,
        frames=(Frame(HOSTILE, 1, HOSTILE, HOSTILE),),
        snippet=(f"> 1 {HOSTILE}",),
        remote=HOSTILE,
        cause=ErrorInfo(type=HOSTILE),
    )


def hostile_story(story):
    of = {"run_id": story.run_id, "node": HOSTILE}
    return (
        story.created(
            package_name=HOSTILE,
            env=HOSTILE,
            runtime_params={HOSTILE: {HOSTILE: [HOSTILE]}},
            command=CommandLine(argv=(HOSTILE,), name=HOSTILE),
            environment={HOSTILE: HOSTILE},
            git=Git(sha=HOSTILE, branch=HOSTILE),
            user=HOSTILE,
            host=HOSTILE,
            labels={HOSTILE: HOSTILE},
            parent_session_id=HOSTILE,
        )
        .context(parameters={HOSTILE: HOSTILE}, env=HOSTILE)
        .started(HOSTILE, "b")
        .node(HOSTILE, "running")
        .tell(
            NoteAdded(text=HOSTILE, fields={HOSTILE: HOSTILE}, node=HOSTILE),
            NodeFailed(**of, error=hostile_error(), dataset=HOSTILE),
            RunFailed(run_id=story.run_id, error=hostile_error()),
            SessionFailed(error=ErrorInfo(type="X", message=HOSTILE)),
        )
    )


def test_a_session_view_of_hostile_text_is_harmless(story, screen):
    state = hostile_story(story).state("crashed")
    detail = Detail(parameters=True, all_nodes=True, datasets=True, traceback=True)

    text = session_view(state, screen, detail=detail, journal=HOSTILE)

    assert "\\x1b" in text
    assert obeyed(text) == []


def test_the_list_and_the_timeline_of_hostile_text_are_harmless(story, screen):
    told = hostile_story(story)
    timeline = Timeline(screen)

    text = sessions_view([Listed(told.state("crashed"))], screen)
    text += render([timeline.line(record) for record in told.records])

    assert "\\u202e" in text
    assert obeyed(text) == []


def test_json_of_hostile_text_is_harmless_and_means_the_same(story):
    import json

    state = hostile_story(story).state("crashed")

    text = json_text(state_data(state))

    assert obeyed(text) == []
    assert json.loads(text)["host"] == HOSTILE
