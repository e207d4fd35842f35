"""Exceptions that carry data values say what failed, and not for which values."""

from __future__ import annotations

import datetime
import logging
import sqlite3
from collections.abc import Callable
from typing import Any

import jsonschema
import msgspec
import numpy
import pandas
import pydantic
import pytest
import yaml

from kedro_journal.capture.fields import error_info
from kedro_journal.capture.without_data import Chain, patterns_out, remote_out
from kedro_journal.events import DatasetValidated, ErrorInfo, NodeFailed
from kedro_journal.recording.error_policy import ErrorPolicy

VALUE = "jane.doe@example.org"
OTHER = "DE89370400440532013000"


def raised(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def foreign(module: str, name: str, *bases: type, **fields: Any) -> Any:
    """Make an exception as if another package had it; none of them is imported."""
    cls = type(name, bases or (Exception,), {"__module__": module})
    error = cls(fields.pop("message", f"bad {VALUE}, {OTHER}"))
    error.__dict__.update(fields)
    return error


def check(info: ErrorInfo) -> None:
    text = msgspec.json.encode(info).decode()
    assert VALUE not in text
    assert OTHER not in text
    assert "jane" not in text


class Model(pydantic.BaseModel):
    """Wants a number, and a place by name."""

    age: int
    kinds: dict[str, int] = {}


def pandera_errors() -> Any:
    cases = pandas.DataFrame(
        {
            "column": ["email"] * 3 + ["iban"],
            "check": ["str_length(1, 3)"] * 3 + ["not_nullable"],
            "failure_case": [VALUE, OTHER, "x", None],
        }
    )
    return foreign("pandera.errors", "SchemaErrors", failure_cases=cases)


def kedro_error(**more: Any) -> Any:
    from kedro.validation import CheckFailure, DataValidationError

    failures = [
        CheckFailure(
            message=f"bad {VALUE}",
            check="str_length(1, 3)",
            column="email",
            failure_count=100,
            failure_examples=[VALUE, OTHER],
        ),
        CheckFailure(message=f"bad {OTHER}"),
    ]
    given: dict[str, Any] = {
        "dataset_name": "people",
        "mode": "save",
        "validator": "pkg.Schema",
        "failures": failures,
    }
    return DataValidationError(f"bad {VALUE}", **(given | more))


def database(module: str, name: str, text: str) -> Any:
    return foreign(module, name, message=text)


def _category() -> None:
    series = pandas.Series(["a"], dtype="category")
    series[0] = VALUE


CASES: dict[str, Callable[[], BaseException]] = {
    "kedro": kedro_error,
    "kedro, of a callable": lambda: kedro_error(failures=[]),
    "pandera": pandera_errors,
    "pandera, at once": lambda: foreign("pandera.errors", "SchemaError", check=None),
    "pandera, no frame": lambda: foreign("pandera.errors", "SchemaErrors"),
    "pydantic": lambda: raised(lambda: Model(age=VALUE)),
    "pydantic, a key": lambda: raised(lambda: Model(age=1, kinds={VALUE: OTHER})),
    "jsonschema": lambda: raised(
        lambda: jsonschema.validate(
            {VALUE: OTHER}, {"additionalProperties": {"type": "null"}}
        )
    ),
    "msgspec": lambda: raised(
        lambda: msgspec.convert(VALUE, type=__import__("enum").Enum("E", "A"))
    ),
    "float": lambda: raised(lambda: float(VALUE)),
    "int": lambda: raised(lambda: int(OTHER + VALUE)),
    "numpy": lambda: raised(lambda: numpy.array([VALUE]).astype(float)),
    "to_numeric": lambda: raised(lambda: pandas.to_numeric(pandas.Series([VALUE]))),
    "to_datetime": lambda: raised(
        lambda: pandas.to_datetime(pandas.Series([VALUE]), format="%Y")
    ),
    "to_datetime, guessed": lambda: raised(lambda: pandas.to_datetime([VALUE])),
    "astype": lambda: raised(lambda: pandas.Series([VALUE]).astype("int64")),
    "strptime": lambda: raised(lambda: datetime.datetime.strptime(VALUE, "%Y")),
    "isoformat": lambda: raised(lambda: datetime.date.fromisoformat(VALUE)),
    "category": lambda: raised(_category),
    "yaml": lambda: raised(lambda: yaml.safe_load(f"a: [{VALUE}\nb: {{")),
    "great expectations": lambda: foreign(
        "great_expectations.exceptions.exceptions", "GreatExpectationsError"
    ),
    "arrow": lambda: foreign(
        "pyarrow.lib",
        "ArrowInvalid",
        type("ArrowException", (Exception,), {"__module__": "pyarrow.lib"}),
        message=f"Could not convert '{VALUE}' with type str: tried to convert to int64",
    ),
    "polars": lambda: foreign(
        "polars.exceptions",
        "InvalidOperationError",
        type("PolarsError", (Exception,), {"__module__": "polars.exceptions"}),
        message="conversion from `str` to `i64` failed in column 'a' for 1 out of 1 "
        f'values: ["{VALUE}"]',
    ),
    "sqlalchemy": lambda: foreign(
        "sqlalchemy.exc",
        "IntegrityError",
        type("StatementError", (Exception,), {"__module__": "sqlalchemy.exc"}),
        orig=database("psycopg2.errors", "Error", f"duplicate\nDETAIL: ({VALUE})"),
        message="(psycopg2.errors.UniqueViolation) duplicate key value violates unique "
        f'constraint "people_email_key"\nDETAIL:  Key (email)=({VALUE}) already exists.'
        f"\n[SQL: INSERT INTO people VALUES (%s)]\n[parameters: ('{VALUE}',)]",
    ),
    "mysql": lambda: database(
        "pymysql.err",
        "MySQLError",
        f"(1062, \"Duplicate entry '{VALUE}' for key 'a'\")",
    ),
    "duckdb": lambda: database(
        "_duckdb",
        "Error",
        f"Could not convert string '{VALUE}' to INT32\nLINE 1: {OTHER}",
    ),
    "asserted": lambda: raised(
        lambda: pandas.testing.assert_series_equal(
            pandas.Series([VALUE]), pandas.Series([OTHER])
        )
    ),
}


def _from(
    outer: BaseException, cause: BaseException | None, context: BaseException | None
) -> BaseException:
    outer.__cause__, outer.__context__ = cause, context
    return outer


def _noted(error: BaseException) -> BaseException:
    outer = _from(RuntimeError("x"), error, None)
    outer.add_note(f"for {error}")
    return outer


WRAPS: dict[str, Callable[[BaseException], BaseException]] = {
    "itself": lambda error: error,
    "cause": lambda error: _from(RuntimeError("cannot go on"), error, None),
    "context": lambda error: _from(RuntimeError("cannot go on"), None, error),
    "told again": lambda error: _from(RuntimeError(f"people: {error}"), error, None),
    "group": lambda error: (
        ExceptionGroup("several", [ValueError("x"), error])  # type: ignore[list-item]
        if isinstance(error, Exception)
        else error
    ),
    "noted": _noted,
}


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("case", CASES)
def test_no_value_is_in_what_is_recorded(case: str, wrap: str) -> None:
    check(ErrorPolicy().applied(failed(WRAPS[wrap](CASES[case]()))).error)


def failed(error: BaseException) -> NodeFailed:
    return NodeFailed(run_id="r", node="n", error=error_info(error, None))


@pytest.mark.parametrize("case", CASES)
def test_no_value_is_in_the_traceback_of_a_worker(case: str) -> None:
    import traceback

    error = WRAPS["cause"](CASES[case]())
    text = "".join(traceback.format_exception(error))
    safe = Chain(error).text(remote_out(text))
    assert VALUE not in safe
    assert "cannot go on" in safe
    # A worker's own causes do not come with the exception: the text alone is known.
    known = case not in ("yaml", "category", "msgspec")
    assert not known or VALUE not in remote_out(text), remote_out(text)


def test_a_validation_is_told_by_fields() -> None:
    info = ErrorPolicy().applied(failed(kedro_error())).error
    data = info.data
    assert data is not None
    assert ("people", "save", "pkg.Schema") == (data.dataset, data.mode, data.validator)
    assert (2, 101) == (data.checks_total, data.cases_total)
    told = [(one.check, one.column, one.count, one.examples) for one in data.checks]
    assert told == [("str_length(1, 3)", "email", 100, ()), ("", "", 1, ())]
    assert "email: str_length(1, 3), 100 value(s)" in info.message


def test_pandera_is_counted_by_check_and_column() -> None:
    data = error_info(pandera_errors(), None).data
    assert data is not None
    found = {(one.column, one.check): one.count for one in data.checks}
    assert found == {("email", "str_length(1, 3)"): 3, ("iban", "not_nullable"): 1}


def test_pydantic_is_told_by_place_and_kind() -> None:
    data = error_info(CASES["pydantic"](), None).data
    assert data is not None
    assert [("age", "int_parsing")] == [(one.column, one.check) for one in data.checks]


def test_examples_are_recorded_only_where_they_are_asked_for() -> None:
    policy = ErrorPolicy(examples=True)
    data = policy.applied(failed(kedro_error())).error.data
    assert data is not None
    assert (VALUE, OTHER) == data.checks[0].examples
    event = DatasetValidated(run_id="r", dataset="people", failure=data)
    assert event == policy.applied(event)
    failure = ErrorPolicy().applied(event).failure
    assert failure is not None
    assert () == failure.checks[0].examples


@pytest.mark.parametrize("case", CASES)
def test_type_leaves_every_message_out(case: str) -> None:
    error = WRAPS["told again"](CASES[case]())
    info = ErrorPolicy("type").applied(failed(error)).error
    assert "" == info.message
    assert info.cause is not None
    assert "" == info.cause.message
    assert "RuntimeError" == info.type


TEXTS = [
    "only 100 rows, wanted 200",
    "unsupported operand type(s) for +: 'int' and 'str'",
    "'DataFrame' object has no attribute 'foo'",
    "[Errno 2] No such file or directory: 'data/x.csv'",
    "Invalid value for '--runner': no such runner",
    "table people has no column named age",
    "name 'x' is not defined",
    "Dataset 'people' not found in the catalog",
    "Length of values (3) does not match length of index (4)",
]


@pytest.mark.parametrize("text", TEXTS)
def test_an_ordinary_message_stays(text: str) -> None:
    assert text == patterns_out(text)
    assert text == error_info(ValueError(text), None).message


def test_a_database_still_says_which_constraint() -> None:
    message = error_info(CASES["sqlalchemy"](), None).message
    assert 'unique constraint "people_email_key"' in message
    error = raised(lambda: sqlite3.connect(":memory:").execute("SELECT * FROM nowhere"))
    assert "no such table: nowhere" == error_info(error, None).message


def test_what_led_to_a_validation_error_is_about_the_data_as_well() -> None:
    import traceback

    error = _from(kedro_error(), ValueError(f"all: {VALUE} {OTHER}"), None)
    outer = _from(RuntimeError(f"it said: {error.__cause__}"), error, None)
    check(ErrorPolicy().applied(failed(outer)).error)
    text = "".join(traceback.format_exception(error))
    assert VALUE in text
    assert VALUE not in remote_out(text)


def test_an_exception_that_cannot_be_asked_says_nothing() -> None:
    error = foreign("pandera.errors", "SchemaErrors", failure_cases=object())
    error.failure_cases = type(
        "Odd", (), {"columns": 1, "to_dict": lambda *_, **__: 1}
    )()
    assert VALUE not in error_info(error, None).message


def test_a_traceback_with_types_alone() -> None:
    head = 'Traceback (most recent call last):\n  File "x", line 1, in y\n    z()\n'
    text = (
        f"{head}ValueError: {VALUE}\nmore {OTHER}\n\nDuring handling of the above "
        f"exception, another exception occurred:\n\n{head}KeyError: '{VALUE}'"
    )
    safe = remote_out(text, types_only=True)
    assert VALUE not in safe
    assert OTHER not in safe
    assert ("ValueError" in safe, "KeyError" in safe, "z()" in safe) == (True,) * 3


def test_a_log_record_is_about_the_exception_in_hand(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = kedro_error()
    with caplog.at_level(logging.WARNING):
        logging.getLogger("x").warning("Node failed with error: \n%s", error)
    (message,) = [record.getMessage() for record in caplog.records]
    assert VALUE in message
    assert VALUE not in Chain(error).text(message)
    assert VALUE not in patterns_out(message)
    assert VALUE not in patterns_out(f"{kedro_error(failures=[])}\n\nmore")
