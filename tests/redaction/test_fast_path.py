"""The fast path of texts gives what the plain reference gives.

The reference applies every rule to every text. The fast path skips the rules of which
it proves, by a cheap look, that they would find nothing.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kedro_journal.redaction import REDACTED, Redactor, headers, tokens, urls
from kedro_journal.redaction.blocks import masked_text, may_hold_key
from kedro_journal.redaction.commands import mask_commands
from kedro_journal.redaction.forms import Forms, _around
from kedro_journal.redaction.names import verdict
from kedro_journal.redaction.pairs import mask_pairs
from kedro_journal.redaction.shape_table import SHAPES

from .measure import CORPUS

SECRETS: Final = ("Zq7Wv9Xk3Lm5Np2R", 'a "quoted"\\ pass+wörd', "lowerword", "tiger-7")


def reference(redactor: Redactor, text: str) -> str:
    """Redact a text with every rule, whatever it holds."""
    if may_hold_key(text):  # a part of the rule: without it lines of data would go
        text = masked_text(text)
    text = searched(redactor._searches()[1]._every, text)
    text = headers.mask_headers(text)
    for shape in SHAPES:
        text = shape.mask(text)
    text = urls.mask_signatures(urls.mask_users(text))
    text = masked_tokens(text)
    return mask_pairs(mask_commands(text, verdict), verdict)


def searched(every: list[Forms], text: str) -> str:
    for one in every:
        if one.escaped is not None and one.anchor in text:
            text = one.escaped.sub(REDACTED, text)
    for one in every:
        for form in dict.fromkeys((one.secret, one.secret[::-1])):
            text = text.replace(form, REDACTED)
    encoded = [form for one in every for form in one.encoded]
    for form in sorted(encoded, key=str.islower):
        text = _around(form).sub(REDACTED, text)
    for one in every:
        for form in one.wide:
            text = text.replace(form, REDACTED)
    return text


def masked_tokens(text: str) -> str:
    plain = f"{tokens._ESCAPED.sub(' ', text)} {text}"
    words = set(tokens._LONG.get().findall(plain))
    for word in sorted(words, key=len, reverse=True):
        safe = tokens._mask_word(word, REDACTED)
        if safe != word:
            text = text.replace(word, safe)
    return text


@cache
def corpus() -> tuple[str, ...]:
    """Return the texts of the corpus, and lines of source code and logs."""
    found: list[str] = []
    for path in sorted(CORPUS.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        found += [row["text"] for row in content.get("texts", ())]
    return tuple(found)


PIECES: Final = st.one_of(
    st.sampled_from(corpus()),
    st.sampled_from([word for text in corpus() for word in text.split()]),
    st.sampled_from([hint for shape in SHAPES for hint in shape.hints]),
    st.sampled_from([one.prefix for one in tokens.tokens()]),
    st.sampled_from(SECRETS),
    st.text(alphabet="ab1Z9=:'\"/@ \n\t.-_%\\&;<>{}()[],$é", max_size=12),
    st.text(max_size=8),
    st.from_regex(r"[A-Za-z0-9+/_\-]{16,44}", fullmatch=True),
)
TEXTS: Final = st.lists(PIECES, min_size=1, max_size=6).flatmap(
    lambda pieces: st.sampled_from(["", " ", "\n", "=", ": ", "'", '", "', "/"]).map(
        lambda joint: joint.join(pieces)
    )
)


@cache
def known() -> Redactor:
    redactor = Redactor()
    redactor.register(*SECRETS)
    return redactor


@given(TEXTS)
@example("PASSW0RD is ".lower() + "aB3dE5fG7hJ9")
@example("https://h/v1/aB3dE5fG7hJ9kL1mN3pQ5rS7?a=1")
@example("pagerduty.com/integration/aB3dE5fG7hJ9kL1mN3pQ5r")
@example("api/bot5812345678:AAHk9zQwErTyUiOpAsDf")
@example(f"{'word ' * 70}é㭱glpat-aB3dE5fG7hJ9kL1mN3pQ %")
@example(f"{'word ' * 70}é㭱glpat-aB3dE5fG7hJ9kL1mN3pQ")
@example("Set-Cookie:/ABSK/x/fy0n7YZbGYLmAHCRUhG/reset/")
@example("Authorization:/a/b/c]")
@example("a\\u0026sig\\u003daZ9kQ2vX7mLpR")
@example("cmd=(sshpass -p Xq7 host)")
@settings(deadline=None, max_examples=300)
def test_the_fast_path_is_the_reference(text: str) -> None:
    assert reference(known(), text) == known().mask(text), repr(text)


def test_the_fast_path_is_the_reference_on_the_corpus() -> None:
    many = "\n\n".join(corpus())
    for text in (*corpus(), *(many[at : at + 3000] for at in range(0, 60_000, 3000))):
        assert reference(known(), text) == known().mask(text), repr(text)


@given(st.lists(TEXTS, max_size=8))
@settings(deadline=None, max_examples=60)
def test_texts_that_were_primed_are_masked_as_others(texts: list[str]) -> None:
    one, other = Redactor(), Redactor()
    for redactor in (one, other):
        redactor.register(*SECRETS)
    one.prime(texts, texts)
    assert [one.text(text) for text in texts] == [other.text(text) for text in texts]
    names = [one.identities.of(text) for text in texts]
    masked = [one._mask_name(text) for text in texts]
    for name, text, safe in zip(names, texts, masked, strict=True):
        assert safe != text or name == text.encode("utf-8", "backslashreplace").decode()
