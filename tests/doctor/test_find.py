"""A value that leaked is found in every encoding and every file, and never printed."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kedro_journal.cli.subcommands.doctor import doctor
from kedro_journal.doctor.find import Found, NotSearched, find_value, needles
from kedro_journal.events import JournalHeader, NoteAdded, WriterOpened
from kedro_journal.journal import JournalDirectory, JournalWriter

SECRET = "Zq7Wv9Xk3 \"Lm5Np2R'/+ä"
RAW = SECRET.encode()
FORMS: dict[str, str] = {
    "plain": SECRET,
    "JSON": json.dumps(SECRET),
    "JSON in JSON": json.dumps(json.dumps(SECRET)),
    "repr": repr(SECRET),
    "repr of bytes": repr(RAW),
    "HTML": html.escape(SECRET),
    "URL": quote(SECRET, safe=""),
    "URL, lower case": re.sub(
        "%..", lambda code: code[0].lower(), quote(SECRET, safe="")
    ),
    "hex": RAW.hex(),
    "HEX": RAW.hex().upper(),
    "base64": base64.b64encode(RAW).decode(),
    "base64, one before": base64.b64encode(b"x" + RAW + b"yz").decode(),
    "base64, two before": base64.b64encode(b"xy" + RAW + b"z").decode(),
    "base64, URL-safe": base64.urlsafe_b64encode(b"x" + RAW).decode(),
    "base64 of UTF-16": base64.b64encode(SECRET.encode("utf-16-le")).decode(),
    "hex of UTF-16": SECRET.encode("utf-16-be").hex(),
    "reversed": SECRET[::-1],
}


def journal(root: Path, *notes: NoteAdded) -> Path:
    session_id, folder = JournalDirectory(root).claim("2026-11-30T01.02.03.004Z")
    header = JournalHeader(
        session_id=session_id, uid="u", salt="s", package_version="1"
    )
    writer = JournalWriter(folder, WriterOpened(pid=1), header=header)
    writer.append(*notes)
    writer.close()
    return folder


def found_in(root: Path) -> list[Found]:
    found = list(find_value(root, SECRET))
    assert all(isinstance(one, Found) for one in found)
    return [one for one in found if isinstance(one, Found)]


@pytest.mark.parametrize("form", FORMS)
def test_every_encoding_is_found_in_its_record_and_field(
    tmp_path: Path, form: str
) -> None:
    text = f"left {FORMS[form]} right"
    notes = NoteAdded(text="harmless"), NoteAdded(text="x", fields={"a": [{"b": text}]})
    journal(tmp_path, *notes)
    (one,) = found_in(tmp_path)
    assert (4, "note.added", "fields.a[0].b") == (one.seq, one.type, one.field)
    assert ("2026-11-30T01.02.03.004Z", True) == (one.session, bool(one.form))


@given(st.text(min_size=4, max_size=40), st.binary(max_size=5), st.binary(max_size=5))
def test_base64_is_found_at_any_alignment(text: str, left: bytes, right: bytes) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    encoded = base64.b64encode(left + raw + right)
    assert any(one in encoded for one in needles(text)["base64"])


def test_keys_count_as_well(tmp_path: Path) -> None:
    journal(tmp_path, NoteAdded(text="x", fields={SECRET: 1}))
    assert ["fields (a key)"] == [one.field for one in found_in(tmp_path)]


@pytest.mark.parametrize(
    "name", ["torn/1.bin", "values/ab", "git.diff", "other", "../.index"]
)
def test_every_other_file_is_searched(tmp_path: Path, name: str) -> None:
    folder = journal(tmp_path)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * (1024 * 1024 - 7) + SECRET.encode("utf-16-le") + b"y")
    (one,) = found_in(tmp_path)
    assert (1024 * 1024 - 7, "UTF-16", 0) == (one.offset, one.form, one.seq)


def test_a_line_that_does_not_decode_is_searched(tmp_path: Path) -> None:
    folder = journal(tmp_path)
    path = folder / "journal.jsonl"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b'{"torn ' + RAW)
    (one,) = found_in(tmp_path)
    assert (0, "", size) == (one.seq, one.field, one.offset)


def test_what_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal(tmp_path)

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    found = list(find_value(tmp_path, SECRET))
    assert found
    assert all(isinstance(one, NotSearched) for one in found)


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_names_places_and_never_the_value(
    tmp_path: Path, as_json: bool
) -> None:
    journal(tmp_path, NoteAdded(text=f"it was {SECRET}"))
    arguments = ["--find-env", "MY_TOKEN", "--directory", str(tmp_path)]
    arguments += ["--json"] * as_json

    def run(env: dict[str, str | None]) -> tuple[int, str]:
        result = CliRunner().invoke(doctor, arguments, env=env)
        assert "Zq7Wv9Xk3" not in result.output
        return result.exit_code, result.output

    code, output = run({"MY_TOKEN": SECRET})
    assert 1 == code
    if as_json:
        (one,) = json.loads(output)["found"]
        assert (3, "text", "plain") == (one["seq"], one["field"], one["form"])
    else:
        assert "record 3 note.added, field text (plain)" in output
    assert 0 == run({"MY_TOKEN": "another value"})[0]
    assert 2 == run({"MY_TOKEN": None})[0]
    assert 2 == run({"MY_TOKEN": "abc"})[0]
