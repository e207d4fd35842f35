"""Every known form of a token is masked, in an example that is invented here."""

from __future__ import annotations

import random

import pytest

from kedro_journal.redaction import REDACTED, Redactor
from kedro_journal.redaction.skeleton import distinct_words
from kedro_journal.redaction.tokens import Token, mask_tokens, tokens

CHARACTERS = {
    "hex": "0123456789abcdef",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
}
LETTERS = CHARACTERS["upper"] + CHARACTERS["upper"][:26].lower()


def example(token: Token, number: int) -> str:
    """Invent what follows the prefix: nothing that a scanner could find is written."""
    chance = random.Random(f"{token.service}{number}")
    characters = CHARACTERS.get(token.alphabet, LETTERS)
    return "".join(chance.choice(characters) for _ in range(token.length))


@pytest.mark.parametrize("token", tokens(), ids=lambda token: token.service)
def test_a_token_is_masked_wherever_it_stands(token: Token) -> None:
    redactor = Redactor()
    for number in range(5):
        body = example(token, number)
        secret = token.prefix + body
        for form in ("{}", "got {}.", "x={}", '["{}"]', "x/{}/y", "(\\n{}\\n)", "<{}>"):
            shown = redactor.text(form.format(secret))
            assert body not in shown, (form, shown)
            assert REDACTED in shown


OTHERS = {
    "Telegram": "1234567890:AA" + "x" * 33,
    "Azure AD": "abc8Q~" + "x1-" * 11,
    "Terraform Cloud": "a1B2c3D4e5F6g7" + ".atlasv1." + "x" * 67,
    "MaxMind": "a1B2c3_" + "x" * 29 + "_mmk",
    "Mailchimp": "0f" * 16 + "-us12",
    "Salesforce": "00D" + "x" * 12 + "!" + "y" * 96,
    "Airtable": "pat" + "x" * 14 + "." + "0f" * 32,
    "Asana": "1" * 16 + ":" + "0f" * 16,
    "42": "s-s4t2ud-" + "0f" * 32,
    "Azure storage": "x1" * 43 + "==",
    "JSON web token": "eyJ" + "x" * 20 + "." + "y" * 20 + "." + "z" * 20,
    "Discord bot": "M" + "x" * 23 + "." + "y" * 6 + "." + "z" * 38,
}


@pytest.mark.parametrize("service", OTHERS)
def test_a_token_with_its_fixed_part_elsewhere_is_masked(service: str) -> None:
    for form in ("{}", "got {}.", "x={}", '["{}"]'):
        assert OTHERS[service] not in Redactor().text(form.format(OTHERS[service]))


def test_the_table_covers_many_services() -> None:
    services = {token.service.split(",")[0].split()[0] for token in tokens()}
    assert len(services) >= 150
    assert len({token.service for token in tokens()}) == len(tokens())


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn-pipeline-with-a-very-long-name",
        "hf_transfer_of_a_very_long_name",
        "key-value-store-of-the-old-system",
        "secret_santa_participants_of_the_year",
        "pat_terns_of_the_year_2026_and_more_words",
        "data/02_intermediate/companies_and_shuttles.parquet",
        "src/package/pipelines/data_processing/nodes.py:123",
        "9fceb02d0ae598e95dc970b74767f19372d61af8",
        "EXTREMELY-LONG-CONSTANT-NAME-OF-SOMETHING",
        "0f3a9c1d-e2b4-a596-8778-695a4b3c2d1e",
    ],
)
def test_long_words_are_no_tokens(text: str) -> None:
    assert text == mask_tokens(text, distinct_words(text), REDACTED)
