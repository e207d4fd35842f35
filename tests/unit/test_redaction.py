"""Secrets never reach a journal: names, shapes, registered values; fail closed."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import OrderedDict, UserDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from events_strategy import by_type
from hypothesis import given, settings
from hypothesis import strategies as st

from kedro_journal.events import (
    EVENT_TYPES,
    CommandLine,
    Event,
    PlannedNode,
    SessionCreated,
)
from kedro_journal.redaction import REDACTED, Redactor, is_secret_name

CANARY = "c4n4ry-V8x!w"
SHAPED = {
    "aws": "AKIA" + "ABCDEFGHIJKLMNOP",
    "github": "ghp_" + "a1B2" * 9,
    "github fine-grained": "github_pat_" + "a1B2_" * 8,
    "gitlab": "glpat-" + "a1B2" * 5,
    "slack": "xoxb-" + "1234567890-abcdef",
    "openai": "sk-" + "a1B2" * 8,
    "stripe": "sk_live_" + "a1B2" * 6,
    "google": "AIza" + "a1B2" * 9,
    "hugging face": "hf_" + "a1B2" * 8,
    "pypi": "pypi-" + "a1B2" * 8,
    "databricks": "dapi" + "0123456789abcdef" * 2,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----",
}
SECRET_NAMES = [
    "password", "PASSWORD", "db_password", "dbPassword", "PGPASSWORD", "passwd", "pwd",
    "secret", "client_secret", "clientSecret", "SECRET_KEY", "api_key", "apiKey",
    "API-KEY", "api_keys", "access_key", "aws_access_key_id", "token",
    "access_token", "accessToken", "GITHUB_TOKEN", "github_token_rw", "token_1",
    "token2", "auth_token_prod", "credentials", "private_key", "passphrase",
    "basic_auth", "authorization", "Authorization", "bearer", "cookie",
    "Set-Cookie", "connection_string", "dsn", "sas_token", "webhook", "otp", "DB_PASS",
    "dbpass", "ssh_key", "signing_key", "encryption_key", "a.b.token",
    "db.password", "credentials.s3.key", "secrets[0]", "token.value",
]  # fmt: skip
# The value decides: a generated one is a secret, a word or a number is none.
VALUE_NAMES = [
    "tokens", "account_key", "auth", "pat", "session_key", "license_key", "secret_id",
]  # fmt: skip
INNOCENT_NAMES = [
    "max_tokens", "cls_token", "tokenizer", "tokenize", "design", "key", "keys",
    "sorted_by_key", "learning_rate", "customer_id", "monkey", "n_tokens", "num_tokens",
    "pad_token", "eos_token", "token_count", "token_ids", "author", "authors", "bypass",
    "compass", "passes", "pattern", "path", "primary_key", "foreign_key", "key_column",
    "cookiecutter", "secretary", "run_id", "sha", "git_sha", "session_id", "tokenizers",
    "max_new_tokens", "tokens_per_batch", "pipeline", "model", "sparse", "epoch",
]  # fmt: skip
INNOCENT_TEXTS = [
    "0f3a9c1de2b4a5968778695a4b3c2d1e0f9a8b7c",
    "2026-01-02T03.04.05.678Z",
    "customer_id=C-1029384756",
    "learning_rate=0.001, max_tokens=4096, cls_token=101",
    "s3://bucket/data/01_raw/companies.csv",
    "https://host:8080/path/@scope/package",
    "conf/base/credentials.yml: not found",
    "Basic preprocessing of the monkey design",
    "the token was refused",
    "File '/srv/token/train.py', line 3, in tokenize",
    "sorted_by_key: True",
    "KeyError: 'key'",
    "git@github.com:org/repo.git",
    "9fceb02d0ae598e95dc970b74767f19372d61af8",
]


def encoded(value: object) -> str:
    """Encode for the journal, and prove that it decodes."""
    data = msgspec.json.encode(value)
    msgspec.json.decode(data)
    return data.decode()


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_what_stands_under_a_secret_name_is_hidden_at_any_depth(name: str) -> None:
    assert Redactor().is_secret_name(name)
    for depth in (0, 1, 5, 25):
        value: object = {name: CANARY, "other": "seen"}
        for level in range(depth):
            value = [value] if level % 2 else {"level": value}
        text = encoded(Redactor().plain(value))
        assert CANARY not in text
        assert "seen" in text


@pytest.mark.parametrize("name", VALUE_NAMES)
def test_of_some_names_the_value_decides(name: str) -> None:
    redactor = Redactor()
    assert not redactor.is_secret_name(name)
    assert {name: REDACTED} == redactor.plain({name: CANARY})
    for harmless in (
        "basic",
        5,
        1000000,
        None,
        True,
        "customer_id",
        ["a", "b", "c"],
        {},
    ):
        assert {name: harmless} == redactor.plain({name: harmless})


@pytest.mark.parametrize("name", INNOCENT_NAMES)
def test_innocent_names_are_left_alone(name: str) -> None:
    assert not is_secret_name(name)
    assert Redactor().plain({name: "value-of-it", "n": {name: 12}}) == {
        name: "value-of-it",
        "n": {name: 12},
    }


@pytest.mark.parametrize("text", INNOCENT_TEXTS)
def test_innocent_texts_are_left_alone(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize("kind", SHAPED)
def test_known_shapes_are_hidden_wherever_they_stand(kind: str) -> None:
    secret = SHAPED[kind]
    for text in (secret, f"failed with {secret}.", f"x={secret}", f'["{secret}"]'):
        assert secret not in Redactor().text(text)
    assert secret not in encoded(Redactor().plain([{"x": (secret,)}]))


TEXTS = [
    "postgresql://user:{}@host:5432/db",
    "mongodb+srv://{}@cluster/db",
    "https://user:pa/ss#{}?@host/x",
    "--params a.b.token={},lr=0.1",
    "a.b.token={}",
    "--password {}",
    "--api-key={}",
    "password: {}",
    "PASSWORD = {}",
    "password={}",
    'password="{}"',
    "{{'password': '{}'}}",
    "{{'password': b'{}'}}",
    '{{"password": "{}"}}',
    '{{"password": "a b {} c"}}',
    '{{"password": "a\\"{}"}}',
    '{{\\"password\\": \\"{}\\"}}',
    '"{{\\\\"api_key\\\\": \\\\"{}\\\\"}}"',
    "client_secret => '{} x'",
    "secret=['first', '{}']",
    "password=SecretStr('{}')",
    "{{'credentials': {{'user': 'me', 'key': '{}'}}}}",
    "token%3D{}",
    "<password>{}</password>",
    "tokenizer: {{'password': '{}'}}",
    "max_tokens=5 n_tokens=[7, password='{}']",
    "?api_key={}&x=1",
    "Authorization: Bearer {}",
    "Authorization: ApiKey {}",
    "authorization: Digest username=me, response={}",
    "Cookie: a=b; session={}",
    "'Authorization': 'Token {}'",
    "curl -H 'Authorization: Negotiate {}' http://x",
    "AccountKey={};EndpointSuffix=core",
    "Server=x;Pwd={};",
    "aws_secret_access_key = {}",
    "ValueError: login failed (user=me, password={})",
    "https://x.blob/y?sv=1&sig={}",
]


@pytest.mark.parametrize("form", TEXTS)
def test_secrets_in_texts_are_hidden_by_their_surroundings(form: str) -> None:
    """Exception texts, command lines, URLs, headers, JSON in JSON."""
    canary = "c4n4ryV8xw0123"
    assert canary not in Redactor().text(form.format(canary))
    assert canary not in encoded(Redactor().plain({"error": [form.format(canary)]}))


def test_what_is_not_secret_in_such_a_text_stays() -> None:
    text = Redactor().text("--params a.b.token=xyzzy12,lr=0.1 --env prod")
    assert text == f"--params a.b.token={REDACTED},lr=0.1 --env prod"
    assert Redactor().text("postgresql://u:p@host:5432/db") == (
        f"postgresql://{REDACTED}@host:5432/db"
    )


def test_the_value_of_a_secret_flag_is_hidden_in_a_list_of_arguments() -> None:
    argv = ("run", "--password", CANARY, "--env", "prod", "--api-key", CANARY)
    assert Redactor().plain(argv) == [
        "run", "--password", REDACTED, "--env", "prod", "--api-key", REDACTED,
    ]  # fmt: skip
    event = CommandLine(argv=argv)
    assert CANARY not in encoded(Redactor().plain(event))


def test_registered_secrets_are_hidden_in_every_form() -> None:
    secret = 'pä"ss w\\örd/+?&'
    redactor = Redactor()
    redactor.register({"nested": [secret]})
    raw = secret.encode()
    forms = [
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        quote(secret, safe="").lower(),
        repr(secret),
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
    ]
    for form in forms:
        shown = redactor.text(f"before {form} after")
        assert form not in shown, form
        assert REDACTED in shown
        assert shown.startswith("before ")
        assert shown.endswith(" after")
    assert secret not in encoded(redactor.plain(raw))
    assert secret not in encoded(redactor.plain({secret: 1, "x": {("k", secret): 2}}))


def test_a_secret_seen_under_its_name_is_hidden_elsewhere_too() -> None:
    params = {"note": f"we use {CANARY}", "db": {"password": CANARY}}
    assert CANARY not in encoded(Redactor().plain(params))
    redactor = Redactor()
    redactor.fields({"runtime_params": {"api_key": CANARY}})
    assert CANARY not in redactor.text(f"later: {CANARY}")


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    redactor = Redactor()
    redactor.register("secret-1", "secret-1-and-more")
    assert redactor.text("x secret-1-and-more x") == f"x {REDACTED} x"


def test_ordinary_words_are_not_registered() -> None:
    redactor = Redactor()
    redactor.register("token", "short", "localhost", None, True, "password")
    assert redactor.secrets == ()
    assert redactor.text("the short token of localhost") == (
        "the short token of localhost"
    )


def test_names_of_the_settings_are_secret_in_keys_and_in_texts() -> None:
    redactor = Redactor(names=["ssn", "Losung"])
    assert redactor.plain({"customer_SSN": "123-45-6789"}) == {"customer_SSN": REDACTED}
    for text in ("--params ssn=123-45-6789", "{'meine_losung': '123-45-6789'}"):
        assert "6789" not in redactor.text(text)
        assert "6789" in Redactor().text(text)


class Login(msgspec.Struct):
    user: str
    password: str
    nested: object = None


@dataclass
class Account:
    name: str
    api_key: str


class Color(Enum):
    RED = CANARY


def test_fields_of_structs_and_objects_are_hidden_by_name() -> None:
    shown = Redactor().plain([Login("me", CANARY, Login("you", CANARY))])
    assert CANARY not in encoded(shown)
    assert "you" in encoded(shown)
    assert CANARY not in encoded(Redactor().plain(Account("me", CANARY)))
    late = Account("x" * 990, CANARY)  # the secret stands across the cut of the repr
    assert CANARY[:5] not in encoded(Redactor().plain(late))


class Raises:
    def __repr__(self) -> str:
        raise RuntimeError(CANARY)

    __str__ = __repr__


class RaisesOnLook:
    def __getattr__(self, name: str) -> object:
        raise RuntimeError(CANARY)


class EndlessMapping(UserDict[str, object]):
    def items(self):  # type: ignore[no-untyped-def]
        raise RuntimeError(CANARY)


CYCLE: list[object] = [1]
CYCLE.append({"again": CYCLE})
DEEP: object = 1
for _ in range(3000):
    DEEP = [DEEP]
DEEP_DICT: object = {"password": CANARY}
for _ in range(3000):
    DEEP_DICT = {"x": DEEP_DICT}
AWKWARD = {
    "repr raises": [Raises()],
    "key raises": {Raises(): 1},
    "attributes raise": RaisesOnLook(),
    "items raise": EndlessMapping(),
    "secret raises": {"password": Raises(), "x": CANARY[:0]},
    "cycle": CYCLE,
    "deep": DEEP,
    "deep dict": DEEP_DICT,
    "nan": [float("nan"), float("inf"), -float("inf")],
    "huge int": [10**5000, -(10**30), {10**5000: 1}],
    "surrogates": ["\ud800", {"\udfff": "\ud800x"}, b"\xff\xfe"],
    "million": list(range(1_000_000)),
    "million set": set(range(1_000_000)),
    "million dict": dict.fromkeys(range(1_000_000)),
    "long text": "x" * 10_000_000,
    "long bytes": b"x" * 10_000_000,
    "many texts": ["y" * 20_000] * 900,
    "wide tree": [[[0] * 200] * 200] * 200,
    "odd keys": {None: 1, 1.5: 2, (1, 2): 3, b"k": 4, True: 5, frozenset([1]): 6},
    "odd values": [
        Path("/a"), datetime(2026, 1, 1, tzinfo=UTC), Decimal("1.5"), Color,
        deque([1]), {1, 2}, frozenset("a"), range(9), (x for x in ()), object(), print,
        Exception("e"), MappingProxyType({"a": 1}), OrderedDict(a=1),
        memoryview(b"ab"), bytearray(b"c"),
        1 + 2j, ..., NotImplemented, type, slice(1),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", AWKWARD)
@pytest.mark.timeout(30)
def test_awkward_values_become_bounded_plain_json(kind: str) -> None:
    """Fail closed: some answer in little time, always encodable, without the secret."""
    started = time.process_time()
    shown = encoded(Redactor().plain(AWKWARD[kind]))
    assert CANARY not in shown
    assert len(shown) < 20_000_000
    assert CANARY not in encoded(Redactor().fields({"x": AWKWARD[kind]}))
    assert time.process_time() - started < 10


def test_an_object_that_fails_hides_only_itself() -> None:
    shown = Redactor().plain({"a": 1, "b": Raises(), "c": {Raises(): 3}, "d": 4})
    assert (shown["a"], shown["d"]) == (1, 4)


ADVERSARIAL = [
    "a" * 100_000 + "token",
    "a." * 50_000 + "token",
    "-" * 100_000 + " key",
    "token" * 20_000,
    "token=" * 20_000,
    "token" + " " * 100_000 + "x",
    "://" * 30_000,
    "://" + "a:" * 40_000,
    "x://u:" + "@" * 80_000 + "/",
    "password='" + "\\" * 80_000,
    "password=\\'" + "\\" * 80_000,
    "eyJ" * 30_000,
    "-----BEGIN " * 10_000,
    "-----BEGIN RSA PRIVATE KEY-----" * 3000,
    "basic " * 20_000 + "bearer " * 10_000,
    "cookie" * 15_000 + ":",
    "x" * 100_000,
    "\\" * 100_000,
    "password: " * 10_000,
    "password=(" * 10_000,
    "password: a b" * 8000,
    "%3D" * 30_000,
    "sig=&" * 20_000,
    "<password>" * 10_000,
    "curl -u a:" * 10_000,
    "docker login " * 8000,
    '"token", ' * 10_000,
    "a/b@c:80" * 12_000,
]


@pytest.mark.parametrize("text", ADVERSARIAL, ids=lambda text: text[:12])
@pytest.mark.timeout(60)
def test_no_text_takes_long(text: str) -> None:
    """Patterns that look back and forth take hours on such texts."""
    started = time.process_time()
    redactor = Redactor(names=["losung"])
    redactor.register("Zq7Wv9Xk3Lm5Np2R", "pä\nss\"w'ord-secret", "\\\\x\\\\y\\\\")
    redactor.text(text)
    redactor.text(text * 100)
    assert time.process_time() - started < 5


def test_many_registered_secrets_do_not_make_it_slow() -> None:
    redactor = Redactor()
    redactor.register([f"secret-number-{n}" for n in range(100_000)])
    started = time.process_time()
    redactor.text("word " * 3000)
    assert time.process_time() - started < 2


def test_a_secret_across_the_cut_of_a_long_text_is_hidden() -> None:
    for offset in range(16_350, 16_400):
        for text in (
            "x" * offset + " " + SHAPED["github"],
            "x" * offset + " token=" + CANARY,
        ):
            shown = Redactor().text(text + "y" * 50_000)
            assert "ghp_a" not in shown
            assert CANARY[:4] not in shown


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=20)
        | st.binary(max_size=20)
        | st.just(CANARY),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.tuples(inner, inner)
            | st.dictionaries(
                st.text(max_size=8) | st.integers() | st.sampled_from(SECRET_NAMES),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_any_value_becomes_plain_json_without_the_registered_secret(
    value: object,
) -> None:
    redactor = Redactor()
    redactor.register(CANARY)
    assert CANARY not in encoded(redactor.plain(value))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_stays_encodable(text: str) -> None:
    assert Redactor().text(text).encode().decode() is not None


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_decodes_again_after_redaction(name: str) -> None:
    """Redaction changes values, never the shape: the record keeps its meaning."""
    cls = EVENT_TYPES[name]

    @settings(max_examples=15, deadline=None)
    @given(by_type[name])
    def check(event: Event) -> None:
        fields = {f: getattr(event, f) for f in event.__struct_fields__}
        safe = Redactor().fields(fields)
        again = msgspec.json.decode(msgspec.json.encode(safe), type=cls)
        assert type(again) is type(event)

    check()


def test_a_canary_in_every_field_of_a_session_is_found_nowhere() -> None:
    event = SessionCreated(
        session_id="s",
        runtime_params={"db": [{"password": CANARY}], "url": f"x://u:{CANARY}@h/"},
        command=CommandLine(argv=("--token", CANARY), flags={"api_key": CANARY}),
        environment={"KEDRO_TOKEN": CANARY},
        labels={"secret": CANARY},
        cwd=f"/tmp/{CANARY}",
        project_path=f"/srv/token={CANARY}",
    )
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    assert CANARY not in encoded(Redactor().fields(fields))


def test_threads_may_register_and_mask_at_once() -> None:
    """A secret that was registered before a text came is never in what comes out."""
    redactor, trouble = Redactor(), []

    def work(name: int) -> None:
        for number in range(300):
            secret = f"secret-{name}-{number}-x"
            redactor.register(secret)
            if secret in redactor.text(f"a {secret} b"):
                trouble.append(secret)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    assert len(redactor.secrets) == 1800


def test_a_plan_of_thousands_stays_a_plan() -> None:
    """Typed sequences are never cut in the middle: the record must decode again."""
    from kedro_journal.events import PlannedNode

    many = tuple(f"input_{n}" for n in range(1500))
    nodes = tuple(PlannedNode(f"n{n}", inputs=many[:3]) for n in range(1200))
    safe = Redactor().fields({"nodes": nodes, "free_inputs": many})
    again = msgspec.convert(safe["nodes"], tuple[PlannedNode, ...])
    assert nodes == again
    assert list(many) == safe["free_inputs"]


@pytest.mark.parametrize(
    "word", ["password", "passwd", "pwd", "pw", "secret", "token", "api_key"]
)
def test_each_word_for_a_secret_is_found_where_it_stands_alone(word: str) -> None:
    redactor = Redactor()
    text = f"connect {word}=hunter22 failed"
    assert "hunter22" not in redactor.text(text)
    assert not redactor.keeps(text)


def test_plain_gives_plain_data_of_an_event_s_own_part_too() -> None:
    safe = Redactor().plain({"node": PlannedNode(name="n", source="f.py:1")})
    assert safe == {"node": {"name": "n", "source": "f.py:1"}}
