"""What is kept of `git diff` holds nothing of files of credentials, and no keys."""

from __future__ import annotations

import pytest

from kedro_journal.capture.diff import LEFT_OUT, safe_diff

PATTERNS = ["credentials*", "credentials*/**", "**/credentials*", "hidden/*.yml"]


def diff(before: str, after: str, *lines: str) -> list[str]:
    return [
        f"diff --git {before} {after}",
        "index 1..2 100644",
        f"--- {before}",
        f"+++ {after}",
        "@@ -1 +1,2 @@",
        *(lines or (" kept", "+CANARY", "-CANARY")),
    ]


SECRET_FILES = [
    *("conf/local/credentials.yml", "conf/base/credentials_dev.yaml", ".env"),
    *("conf/base/nested/credentials/aws.yml", "conf/base/a/my_credentials.json"),
    *("conf/base/hidden/x.yml", "deploy/.env.production", "prod.env", "keys/id_rsa"),
    *("certs/server.pem", "certs/server.key", ".netrc", "service-account-1.json"),
    *("a b/credentials x.yml", ".aws/config", "secrets.toml", "x.tfvars"),
]


@pytest.mark.parametrize("path", SECRET_FILES)
@pytest.mark.parametrize(
    "prefix", [("a/", "b/"), ("i/", "w/"), ("", ""), ('"a/', '"b/')]
)
def test_a_file_of_credentials_is_left_out(path: str, prefix: tuple[str, str]) -> None:
    end = '"' if prefix[0].startswith('"') else ""
    one, other = (f"{p}{path}{end}" for p in prefix)
    lines = [
        *diff("a/x.py", "b/x.py", "+kept 1"),
        *diff(one, other),
        *diff("a/y", "b/y", "+kept 2"),
    ]
    safe = list(safe_diff(lines, PATTERNS))
    assert "CANARY" not in "\n".join(safe)
    assert {"+kept 1", "+kept 2", LEFT_OUT} <= set(safe)


def test_a_file_that_was_renamed_is_judged_by_both_names() -> None:
    lines = diff("a/credentials.yml", "b/x.yml")
    assert "CANARY" not in "\n".join(safe_diff(lines, PATTERNS))
    lines = diff("/dev/null", "b/conf/local/credentials.yml")
    assert "CANARY" not in "\n".join(safe_diff(lines, PATTERNS))


def test_an_ordinary_file_is_kept_as_it_is() -> None:
    lines = diff("a/src/nodes.py", "b/src/nodes.py", "+diff = 1", "-diff --git", " x")
    assert lines == list(safe_diff(lines, PATTERNS))


def test_a_key_in_any_file_is_masked() -> None:
    key = ["+-----BEGIN PRIVATE KEY-----", "+CANARYone", "+-----END PRIVATE KEY-----"]
    safe = list(safe_diff(diff("a/x.yml", "b/x.yml", " k: |", *key, " z: 1"), PATTERNS))
    assert "CANARY" not in "\n".join(safe)
    assert safe[-1] == " z: 1"


def test_a_hunk_within_a_key_is_masked() -> None:
    rows = [f" CANARY{n}aB3" + "xY9z" * 13 + "qqq" for n in range(3)]
    safe = "\n".join(safe_diff(diff("a/x", "b/x", *rows), PATTERNS))
    assert "CANARY" not in safe
