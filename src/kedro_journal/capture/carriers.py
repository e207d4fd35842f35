"""Exceptions whose text holds data values, and what may be said of each instead.

Known by name and package, so that none of those packages is imported. An entry counts
for the class and all that are derived from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from kedro_journal._outside import let_through
from kedro_journal.events import DataFailure, FailedCheck

__all__ = ["CARRIERS", "LEFT_OUT", "Said", "carrier_of", "literals_out"]

LEFT_OUT: Final = "(left out: it may hold data values)"
VALUE_OUT: Final = "(value left out)"
CHECKS_MAX: Final = 50
EXAMPLES_MAX: Final = 5
_EXAMPLE_MAX_CHARS: Final = 80
_LABEL_MAX_CHARS: Final = 200
_CASES_MAX: Final = 100_000
_PLACE: Final = re.compile(r"[A-Za-z_][\w\-]{0,80}")


class Said(NamedTuple):
    """What may be said of an exception.

    Attributes:
        message: In place of its own.
        data: The same as fields, where there are any.
    """

    message: str
    data: DataFailure | None = None


Says = Callable[[Any], Said]


def _nothing(error: Any) -> Said:
    """Leave the message out as a whole."""
    del error
    return Said(LEFT_OUT)


# -- validation of datasets ----------------------------------------------------------


def _kedro(error: Any) -> Said:
    """Use the fields of Kedro's DataValidationError."""
    checks = [
        FailedCheck(
            check=_label(one.check),
            column=_label(one.column),
            count=max(0, int(one.failure_count)),
            examples=_examples(one.failure_examples),
        )
        for one in islice(error.failures, CHECKS_MAX)
    ]
    data = DataFailure(
        dataset=_text(error.dataset_name) or None,
        mode=_text(error.mode),
        validator=_label(error.validator),
        checks=tuple(checks),
        checks_total=len(error.failures),
        cases_total=sum(max(0, int(one.failure_count)) for one in error.failures),
    )
    return Said(_told(data), data)


def _told(data: DataFailure) -> str:
    """Write a failure as Kedro does, without examples."""
    head = "Validation failed"
    if data.dataset:
        head += f" for dataset {data.dataset!r}" + f" on {data.mode}" * bool(data.mode)
    lines = [head]
    if data.validator:
        lines.append(f"(validator: {data.validator})")
    if data.checks_total:
        lines.append(
            f"{data.checks_total} check(s) failed, {data.cases_total} value(s):"
        )
    for one in data.checks:
        place = f"{one.column}: " * bool(one.column)
        lines.append(f"  - {place}{one.check or '(not named)'}, {one.count} value(s)")
    if not data.checks_total:
        lines.append(LEFT_OUT)
    return "\n".join(lines)


def _pandera(error: Any) -> Said:
    """Count the failure cases of pandera's SchemaErrors and SchemaError."""
    grouped: dict[tuple[str, str], list[Any]] = {}
    for record in islice(_records(getattr(error, "failure_cases", None)), _CASES_MAX):
        key = _label(record.get("column")), _label(record.get("check"))
        grouped.setdefault(key, []).append(record.get("failure_case"))
    schema = getattr(error, "schema", None)
    if not any(check for _, check in grouped):  # raised at the first failing check
        check = getattr(error, "check", None)
        name = _label(getattr(check, "error", None) or getattr(check, "name", None))
        column = _label(getattr(schema, "name", None))
        cases = [case for some in grouped.values() for case in some]
        grouped = {(column, name): cases} if cases or name else {}
    checks = [
        FailedCheck(check=name, column=column, count=len(c), examples=_examples(c))
        for (column, name), c in islice(grouped.items(), CHECKS_MAX)
    ]
    data = DataFailure(
        validator=_label(getattr(schema, "name", None)),
        checks=tuple(checks),
        checks_total=len(grouped),
        cases_total=sum(map(len, grouped.values())),
    )
    return Said(_told(data), data)


def _records(cases: Any) -> Iterator[Mapping[str, Any]]:
    """Return the rows of a frame of pandas or polars."""
    if cases is None:
        return
    if hasattr(cases, "to_dicts"):
        yield from cases.to_dicts()
    elif hasattr(cases, "columns"):
        yield from cases.to_dict(orient="records")


def _pydantic(error: Any) -> Said:
    """Use place and kind of each of pydantic's errors, without their input."""
    try:
        found = error.errors(
            include_url=False, include_context=False, include_input=False
        )
    except TypeError as caught:  # version 1
        let_through(caught)
        found = error.errors()
    checks = [
        FailedCheck(check=_label(one.get("type")), column=_path(one.get("loc") or ()))
        for one in islice(found, CHECKS_MAX)
    ]
    title = getattr(error, "title", None) or getattr(error, "model", None)
    data = DataFailure(
        validator=_label(getattr(title, "__name__", title)),
        checks=tuple(checks),
        checks_total=len(found),
        cases_total=len(found),
    )
    return Said(_told(data), data)


def _jsonschema(error: Any) -> Said:
    """Use the keyword that failed, and the place."""
    path = getattr(error, "absolute_path", None) or getattr(error, "path", None) or ()
    check = FailedCheck(check=_label(error.validator), column=_path(path))
    data = DataFailure(checks=(check,), checks_total=1, cases_total=1)
    return Said(_told(data), data)


def _path(parts: Iterable[Any]) -> str:
    """Join keys and numbers; a key that is no identifier may be a data value."""
    shown: list[str] = []
    for part in islice(parts, 20):
        number = type(part) is int
        known = number or (type(part) is str and bool(_PLACE.fullmatch(part)))
        shown.append(str(part) if known else "(key)")
    return ".".join(shown)


_SIGNS: Final = re.compile(r"'([^\w\s]{1,3})'|'(<[\w ]{1,30}>)'")


def _yaml(error: Any) -> Said:
    """Use what is wrong and where, with the file; the text of that place stays out."""
    parts: list[str] = []
    for name in ("context", "problem"):
        text = _text(getattr(error, name, None) or "")
        mark = getattr(error, f"{name}_mark", None)
        # A punctuation mark or the name of a token is syntax and not a value.
        text = literals_out(_SIGNS.sub(r"\1\2", text))
        if mark is not None:
            file = _text(getattr(mark, "name", ""))
            text += f" in {file}, line {mark.line + 1}, column {mark.column + 1}"
        if text:
            parts.append(text)
    return Said("; ".join(parts))


# -- messages with values in them ----------------------------------------------------

_QUOTED: Final = re.compile(
    r"""(?s)(?P<before>(?:constraint|relation|column|table|field|schema|index|type|key)\s)?
    (?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)""",
    re.VERBOSE,
)


def literals_out(text: str) -> str:
    """Replace quoted text, unless it is known to be a name."""
    return _QUOTED.sub(_name_or_value, text)


def _name_or_value(found: re.Match[str]) -> str:
    before = found["before"]
    quoted = found[0][len(before or "") :]
    if before and _PLACE.fullmatch(quoted[1:-1]):
        return found[0]
    return f"{before or ''}{VALUE_OUT}"


def _literals(error: Any) -> Said:
    """Keep the first line, without what stands in quotes or brackets."""
    first = _text(error).partition("\n")[0]
    return Said(re.sub(r"\[[^\n]*", VALUE_OUT, literals_out(first)))


def _database(error: Any) -> Said:
    """Keep the first line: parameters, details and the statement come after it."""
    text = _text(error)
    first = literals_out(text.partition("\n")[0])
    first = re.sub(r"(?i)(value (?:is|was) )\(.*", rf"\1{VALUE_OUT}", first)
    return Said(re.sub(r"\[(?:SQL|parameters):.*", "", first).strip() or LEFT_OUT)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _label(value: Any) -> str:
    text = _text(value)
    text = "" if text == "nan" else " ".join(text.split())
    return text if len(text) <= _LABEL_MAX_CHARS else text[:_LABEL_MAX_CHARS] + "..."


def _examples(values: Iterable[Any]) -> tuple[str, ...]:
    some = map(_text, islice(values, EXAMPLES_MAX))
    return tuple(one[:_EXAMPLE_MAX_CHARS] for one in some)


CARRIERS: Final[dict[str, Says]] = {
    "kedro.DataValidationError": _kedro,
    "pandera.SchemaError": _pandera,
    "pandera.SchemaErrors": _pandera,
    "pandera.ParserError": _nothing,
    "pandera.ReducedPickleExceptionBase": _nothing,
    "pydantic.ValidationError": _pydantic,
    "pydantic_core.ValidationError": _pydantic,
    "jsonschema.ValidationError": _jsonschema,
    "jsonschema.SchemaError": _jsonschema,
    "fastjsonschema.JsonSchemaValueException": _nothing,
    "great_expectations.GreatExpectationsError": _nothing,
    "marshmallow.ValidationError": _nothing,
    "cerberus.DocumentError": _nothing,
    "voluptuous.Invalid": _nothing,
    "schema.SchemaError": _nothing,
    "cattrs.BaseValidationError": _nothing,
    "frictionless.FrictionlessException": _nothing,
    "beartype.BeartypeCallHintViolation": _nothing,
    "typeguard.TypeCheckError": _literals,
    "django.ValidationError": _nothing,
    "msgspec.ValidationError": _literals,
    "yaml.MarkedYAMLError": _yaml,
    "pandas.ParserError": _literals,
    "pandas.OutOfBoundsDatetime": _nothing,
    "pandas.OutOfBoundsTimedelta": _nothing,
    "dateutil.ParserError": _nothing,
    "pyarrow.ArrowException": _literals,
    "polars.PolarsError": _literals,
    "duckdb.Error": _database,
    "sqlalchemy.StatementError": _database,
    "psycopg2.Error": _database,
    "psycopg.Error": _database,
    "asyncpg.PostgresError": _database,
    "pymysql.MySQLError": _database,
    "MySQLdb.MySQLError": _database,
    "mysql.Error": _database,
    "pyodbc.Error": _database,
    "oracledb.Error": _database,
    "snowflake.Error": _database,
    "sqlite3.Error": _database,
    "pymongo.PyMongoError": _nothing,
    "pyspark.PySparkException": _literals,
    "deltalake.DeltaError": _literals,
}
"""First part of the module and name of the class, with what may be said of it."""


def carrier_of(error: BaseException) -> Says | None:
    """Return what says something of an exception without its data; None if unknown.

    A class without a name of its own in the table counts as the nearest of its bases
    that has one.
    """
    for cls in type(error).__mro__:
        package = str(cls.__module__).partition(".")[0]
        says = CARRIERS.get(f"{package.lstrip('_')}.{cls.__name__}")
        if says is not None:
            return says
    return None
