"""Registered values are found in every encoding, and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kedro_journal.redaction import REDACTED, Redactor

SECRETS = [
    "simplesecret",
    "Zq7Wv9Xk3Lm5Np2R",
    "pä\nss\"w'ord-secret",
    "a b&c<d>e'f\"g",
    "back\\slash\\\\two",
    "tab\tand\rreturn",
    "x-пароль-ключX",
    "emoji-\N{KEY}-key",
    "x%2Fy+z=1/2?3",
]


def forms(secret: str) -> dict[str, str]:
    """Return a secret in the encodings that texts have."""
    raw = secret.encode()
    twice = json.dumps(json.dumps(secret))
    found = {
        "plain": secret,
        "repr": repr(secret)[1:-1],
        "repr of repr": repr(repr(secret))[1:-1].strip("\\'\""),
        "repr thrice": repr(repr(repr(secret)))[1:-1].strip("\\'\""),
        "repr of bytes": repr(raw)[2:-1],
        "JSON": json.dumps(secret)[1:-1],
        "JSON, not ASCII": json.dumps(secret, ensure_ascii=False)[1:-1],
        "JSON twice": twice[1:-1].strip('\\"'),
        "JSON thrice": json.dumps(twice)[1:-1].strip('\\"'),
        "JSON in repr": repr(json.dumps(secret))[1:-1].strip("\\'\""),
        "URL": quote(secret, safe=""),
        "URL, lower": quote(secret, safe="").lower() if secret.islower() else secret,
        "URL, slashes": quote(secret),
        "URL, plus": quote_plus(secret),
        "URL twice": quote(quote(secret, safe=""), safe=""),
        "HTML": html.escape(secret),
        "YAML": secret.replace("'", "''"),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "UTF-16": secret.encode("utf-16-le").decode("latin-1") if secret.isascii() else "",
        "UTF-16 in repr": repr(secret.encode("utf-16-le"))[2:-1] if secret.isalnum() else "",
        "base64 of UTF-16": base64.b64encode(secret.encode("utf-16-le")).decode(),
    }  # fmt: skip
    for before in range(3):
        for after in range(3):
            blob = b"x" * before + raw + b"y" * after
            found[f"base64 {before} {after}"] = base64.b64encode(blob).decode()
            found[f"urlsafe {before} {after}"] = base64.urlsafe_b64encode(blob).decode()
    return {name: form for name, form in found.items() if form}


@pytest.mark.parametrize("secret", SECRETS)
def test_a_registered_value_is_found_in_every_encoding(secret: str) -> None:
    redactor = Redactor()
    redactor.register(secret)
    for name, form in forms(secret).items():
        for text in (f"before {form} after", f"'{form}'", form, f"{form}\n"):
            shown = redactor.text(text)
            middle = form[3:-4] if "base64" in name or "urlsafe" in name else form
            assert middle not in shown, (name, shown)
            assert REDACTED in shown, (name, text, shown)


@pytest.mark.parametrize(
    ("registered", "password"),
    [
        ("postgresql://etl:S3cr3t-of-it@db:5432/x", "S3cr3t-of-it"),
        ("postgresql://etl:S3cr%40t-of-it@db:5432/x", "S3cr@t-of-it"),
        ("redis://:onlypassword@cache/0", "onlypassword"),
        ("Server=db;Uid=etl;Pwd=S3cr3t-of-it;", "S3cr3t-of-it"),
        ("host=db user=etl password='S3cr3t of it'", "S3cr3t of it"),
    ],
)
def test_the_password_in_a_registered_url_counts_by_itself(
    registered: str, password: str
) -> None:
    redactor = Redactor()
    redactor.register(registered)
    assert f"refused: {REDACTED}!" == redactor.text(f"refused: {password}!")
    assert "the host db and the user etl" == redactor.text(
        "the host db and the user etl"
    )


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=12)
VALUES = st.recursive(
    LEAVES | st.just("SECRET"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6) | st.just("SECRET"), inner, max_size=3)
    ),
    max_leaves=12,
)


def planted(value: object, secret: str) -> object:
    """Put a secret where the mark stands."""
    if isinstance(value, dict):
        return {planted(k, secret): planted(v, secret) for k, v in value.items()}
    if isinstance(value, list):
        return [planted(item, secret) for item in value]
    return f"<{secret}>" if value == "SECRET" else value


SECRET_TEXTS = st.text(min_size=8, max_size=30).filter(
    lambda text: len(set(text.strip())) > 5 and text.strip() == text
)


@settings(max_examples=300, deadline=None)
@given(SECRET_TEXTS, VALUES)
def test_a_registered_value_is_nowhere_in_any_value(secret: str, value: object) -> None:
    redactor = Redactor()
    redactor.register(secret)
    data = msgspec.json.encode(redactor.plain(planted(value, secret)))
    shown = msgspec.json.decode(data)
    assert secret not in json.dumps(shown, ensure_ascii=False)
    assert json.dumps(secret)[1:-1] not in json.dumps(shown)


@settings(max_examples=300, deadline=None)
@given(SECRET_TEXTS, st.text(max_size=20), st.text(max_size=20))
def test_a_registered_value_is_nowhere_in_any_text(
    secret: str, before: str, after: str
) -> None:
    redactor = Redactor()
    redactor.register(secret)
    for form in (secret, repr(secret), json.dumps(secret), quote(secret, safe="")):
        shown = redactor.text(before + form + after)
        core = form[1:-1] if form[0] in "'\"" else form
        assert core not in shown


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(categories=["L", "N", "Zs"]), max_size=200))
def test_a_text_without_a_sign_of_a_secret_stays(text: str) -> None:
    redactor = Redactor()
    redactor.register("Zq7Wv9Xk3Lm5Np2R", "pä\nss\"w'ord-secret")
    if len(max(text.split(), default="")) < 8:
        assert text == redactor.text(text)


PIECES = st.sampled_from(
    [
        *("password", "=", ": ", " ", "'", '"', "\\", "\n", ",", ";", "&", "?", "://"),
        *(
            "user",
            ":",
            "@host",
            "token",
            "sig",
            "[redacted]",
            "abc",
            "Zq7Wv9Xk3Lm5",
            "{",
        ),
        *(
            "}",
            "[",
            "]",
            "(",
            ")",
            "--",
            "%3D",
            "Authorization",
            "Bearer ",
            "<",
            ">",
            "|",
        ),
    ]
)


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_redaction_is_idempotent(text: str) -> None:
    redactor = Redactor()
    once = redactor.text(text)
    assert once == redactor.text(once)
