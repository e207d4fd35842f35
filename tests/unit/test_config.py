"""Settings: read strictly, the environment over the file."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from kedro_journal.config import Config, explain_config, find_project, load_config
from kedro_journal.errors import ConfigError


def project(folder: Path, table: str, head: str = "[tool.kedro_journal]\n") -> Path:
    (folder / "pyproject.toml").write_text(head + table)
    return folder


def test_without_a_project_there_are_defaults() -> None:
    assert load_config(None, {}) == Config()


@pytest.mark.parametrize(
    "text", ["", "[tool]\nx = 1", "[tool.kedro]\nx = 1", "tool = 3"]
)
def test_a_project_that_says_nothing_has_defaults(tmp_path: Path, text: str) -> None:
    assert load_config(project(tmp_path, text, head=""), {}) == Config()


def test_a_file_that_is_missing_or_a_folder_gives_defaults(tmp_path: Path) -> None:
    assert load_config(tmp_path, {}) == Config()
    (tmp_path / "pyproject.toml").mkdir()
    assert load_config(tmp_path, {}) == Config()


def test_every_setting_can_stand_in_the_file(tmp_path: Path) -> None:
    table = """
    disable = true
    directory = "elsewhere"
    durability = "sync"
    strict = true
    environment = ["A_*", "B"]
    redact = ["ssn"]
    lock_backend = "fcntl"
    lock_timeout_s = 5
    """
    assert load_config(project(tmp_path, table), {}) == Config(
        disable=True,
        directory="elsewhere",
        durability="sync",
        strict=True,
        environment=("A_*", "B"),
        redact=("ssn",),
        lock_backend="fcntl",
        lock_timeout_s=5.0,
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("disabled = true", ["disabled", "tool.kedro_journal"]),
        ("disable = 1", ["tool.kedro_journal.disable", "bool"]),
        ('strict = "yes"', ["tool.kedro_journal.strict", "bool"]),
        ('durability = "fast"', ["tool.kedro_journal.durability", "fast"]),
        ('directory = ""', ["tool.kedro_journal.directory", "length"]),
        ('directory = "a\\u0000b"', ["tool.kedro_journal.directory", "regex"]),
        ("directory = 3", ["tool.kedro_journal.directory", "str"]),
        ('environment = "KEDRO_*"', ["tool.kedro_journal.environment", "array"]),
        ("environment = [1]", ["tool.kedro_journal.environment", "str"]),
        ("lock_timeout_s = 0", ["tool.kedro_journal.lock_timeout_s", "> 0"]),
        ("lock_timeout_s = nan", ["tool.kedro_journal.lock_timeout_s"]),
        ('lock_timeout_s = "1"', ["tool.kedro_journal.lock_timeout_s", "float"]),
        ("nested = {a = 1}", ["nested", "tool.kedro_journal"]),
    ],
)
def test_a_wrong_setting_is_an_error_with_its_path(
    tmp_path: Path, table: str, words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(project(tmp_path, table), {})
    assert caught.value.source == str(tmp_path / "pyproject.toml")
    assert [word for word in words if word not in caught.value.reason] == []
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("value", ["3", '"x"', "[1]"])
def test_settings_that_are_no_table_are_an_error(tmp_path: Path, value: str) -> None:
    text = f"[tool]\nkedro_journal = {value}"
    with pytest.raises(ConfigError, match=r"tool\.kedro_journal"):
        load_config(project(tmp_path, text, head=""), {})


@pytest.mark.parametrize(
    "text", ["[tool", "a = \n", "\x00", "x = 'é'".encode("latin-1")]
)
def test_what_is_no_toml_is_an_error(tmp_path: Path, text: str | bytes) -> None:
    data = text.encode() if isinstance(text, str) else text
    (tmp_path / "pyproject.toml").write_bytes(data)
    with pytest.raises(ConfigError, match="not TOML"):
        load_config(tmp_path, {})


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("9" * 5000, id="digits"),
        pytest.param("[" * 5000 + "]" * 5000, id="lists"),
        pytest.param("{a=" * 3000 + "1" + "}" * 3000, id="tables"),
        pytest.param("[" * 400 + "]" * 400, id="deep"),
        pytest.param("0001-01-01T00:00:00+99:99", id="a time that there is not"),
    ],
)
def test_a_pyproject_that_breaks_the_parser_is_an_error_of_ours(
    tmp_path: Path, value: str
) -> None:
    folder = project(tmp_path, f"lock_timeout_s = {value}\n")
    mistakes: list[ConfigError] = []

    with pytest.raises(ConfigError, match=r"pyproject\.toml") as caught:
        load_config(folder, {})
    assert load_config(folder, {}, mistakes.append) == Config()
    assert [str(caught.value)] == [str(mistake) for mistake in mistakes]
    assert explain_config(folder, {}).mistakes


def test_a_project_is_passed_over_if_its_pyproject_breaks_the_parser(
    tmp_path: Path,
) -> None:
    project(tmp_path, "x = 1", head="[tool.kedro]\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    project(inner, f"x = {'[' * 5000}", head="[tool.kedro]\n")
    assert find_project(inner) == tmp_path


def test_a_variable_that_is_no_text_is_an_error_with_its_name() -> None:
    with pytest.raises(ConfigError, match="KEDRO_JOURNAL_STRICT") as caught:
        load_config(None, {"KEDRO_JOURNAL_STRICT": "\udcff"})
    assert str(caught.value).isascii()


def test_what_stands_in_the_place_of_the_table_is_told_in_short(tmp_path: Path) -> None:
    value = "[" * 400 + '"' + "x" * 9000 + '"' + "]" * 400
    folder = project(tmp_path, f"[tool]\nkedro_journal = {value}\n", head="")
    (mistake,) = explain_config(folder, {}).mistakes
    assert "it must be a table, not [" in mistake.reason
    assert len(mistake.reason) < 200


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    project(tmp_path, 'directory = "file"\nstrict = true')
    environ = {"KEDRO_JOURNAL_DIRECTORY": "variable", "OTHER": "x"}
    config = load_config(tmp_path, environ)
    assert (config.directory, config.strict) == ("variable", True)


@pytest.mark.parametrize(
    ("value", "meant"),
    [(v, True) for v in ("1", "true", "True", "TRUE", "yes", "Yes")]
    + [(v, False) for v in ("", "0", "false", "False", "no", "NO")],
)
def test_booleans_of_the_environment(value: str, meant: bool) -> None:
    assert load_config(None, {"KEDRO_JOURNAL_DISABLE": value}).disable is meant


def test_lists_and_numbers_of_the_environment() -> None:
    environ = {
        "KEDRO_JOURNAL_REDACT": " ssn, iban ,,",
        "KEDRO_JOURNAL_ENVIRONMENT": "",
        "KEDRO_JOURNAL_LOCK_TIMEOUT_S": "2.5",
    }
    config = load_config(None, environ)
    assert (config.redact, config.environment) == (("ssn", "iban"), ())
    assert config.lock_timeout_s == 2.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEDRO_JOURNAL_DISABLED", "1"),
        ("KEDRO_JOURNAL_", "1"),
        ("KEDRO_JOURNAL_DISABLE", "maybe"),
        ("KEDRO_JOURNAL_DURABILITY", "fast"),
        ("KEDRO_JOURNAL_LOCK_TIMEOUT_S", "soon"),
        ("KEDRO_JOURNAL_LOCK_TIMEOUT_S", "-1"),
        ("KEDRO_JOURNAL_LOCK_TIMEOUT_S", "nan"),
        ("KEDRO_JOURNAL_DIRECTORY", ""),
    ],
)
def test_a_wrong_variable_is_an_error_with_its_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, {name: value})
    assert caught.value.source == name


def test_variables_for_child_processes_are_no_settings() -> None:
    environ = {"KEDRO_JOURNAL_SESSION": "/x", "KEDRO_JOURNAL_PROJECT": "/y"}
    assert load_config(None, environ) == Config()


def test_the_directory_is_relative_to_the_project(tmp_path: Path) -> None:
    assert Config().journal_directory(tmp_path) == tmp_path / "sessions"
    assert Config(directory="/var/j").journal_directory(tmp_path) == Path("/var/j")
    with pytest.raises(ConfigError, match=r"tool\.kedro_journal\.directory"):
        Config(directory="~no-such-user-here/j").journal_directory(tmp_path)


def test_a_project_is_found_from_any_folder_in_it(tmp_path: Path) -> None:
    inner = tmp_path / "src" / "pkg"
    inner.mkdir(parents=True)
    assert find_project(inner) is None
    project(tmp_path, "package_name = 'p'", head="[tool.kedro]\n")
    (tmp_path / "src" / "pyproject.toml").write_text("not toml [")
    assert find_project(inner) == find_project(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("text", "environ", "disabled"),
    [
        ("redact = 5\n", {}, True),
        ("redact = 5\ndisable = false\n", {}, True),
        ("redact = 5\n", {"KEDRO_JOURNAL_DISABLE": "0"}, True),
        ("redact = 5\n", {"KEDRO_JOURNAL_REDACT": "ssn"}, False),
        ("redact = ['ssn']\n", {}, False),
    ],
)
def test_where_the_names_of_secrets_do_not_read_nothing_is_journaled(
    tmp_path: Path, text: str, environ: dict[str, str], disabled: bool
) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.kedro_journal]\n{text}")
    config = load_config(tmp_path, environ, on_error=lambda error: None)
    assert config.disable == disabled


def test_settings_that_are_no_table_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nkedro_journal = 3\n")
    said: list[ConfigError] = []
    assert load_config(tmp_path, {}, on_error=said.append) == Config()
    (error,) = said
    assert "must be a table" in str(error)
