"""SQL over all sessions of a directory: views for DuckDB, which reads the journals.

Nothing is copied or indexed: the views read the journal files at each query. Only what
no record says, such as whether a session crashed, comes from this package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from kedro_journal._outside import let_through
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory

__all__ = ["SESSION_COLUMNS", "VIEWS", "Answer", "answer"]

SESSION_COLUMNS: Final[Mapping[str, str]] = {
    "session_id": "VARCHAR",
    "verdict": "VARCHAR",
    "created_at": "TIMESTAMP",
    "updated_at": "TIMESTAMP",
    "duration_s": "DOUBLE",
    "pipelines": "VARCHAR[]",
    "runs": "BIGINT",
    "nodes_completed": "BIGINT",
    "nodes_planned": "BIGINT",
    "error": "VARCHAR",
    "env": "VARCHAR",
    "user": "VARCHAR",
    "host": "VARCHAR",
    "exit_code": "BIGINT",
    "parent_session_id": "VARCHAR",
    "group_id": "VARCHAR",
    "labels": "JSON",
    "tags": "VARCHAR[]",
    "records": "BIGINT",
    "damaged": "BOOLEAN",
}
"""Columns of the view `sessions`, which are keys of `list --json`, and their types."""

_RECORDS: Final = """
CREATE TEMP VIEW records AS
SELECT parse_path(filename)[-2] AS session_id, seq,
       CAST("at" AS TIMESTAMP) AS recorded_at, w AS writer, type, data
FROM read_json({files}, format = 'newline_delimited', filename = true,
    ignore_errors = true, maximum_object_size = 67108864,
    columns = {{seq: 'BIGINT', "at": 'VARCHAR', w: 'VARCHAR', type: 'VARCHAR',
               data: 'JSON'}})
WHERE seq IS NOT NULL AND type IS NOT NULL
"""
_ATTEMPT: Final = "ATTEMPT_IN_DATA", "coalesce(CAST(data->>'$.attempt' AS BIGINT), 1)"
VIEWS: Final[Mapping[str, str]] = {
    "runs": """
WITH ended AS (
    SELECT session_id, data->>'$.run_id' AS run_id, ATTEMPT_IN_DATA AS attempt,
           max(recorded_at) AS ended_at, any_value(type) AS type,
           max(CAST(data->>'$.duration_s' AS DOUBLE)) AS duration_s,
           any_value(data->>'$.error.type') AS error_type,
           any_value(data->>'$.error.message') AS error_message
    FROM records WHERE type IN ('run.completed', 'run.failed', 'run.interrupted')
    GROUP BY ALL
), started AS (
    SELECT session_id, data->>'$.run_id' AS run_id, ATTEMPT_IN_DATA AS attempt,
           recorded_at AS started_at,
           coalesce(CAST(data->'$.pipelines' AS VARCHAR[]), ['__default__'])
               AS pipelines,
           data->>'$.runner' AS runner, json_array_length(data->'$.nodes') AS nodes
    FROM records WHERE type = 'run.started'
)
SELECT session_id, run_id, attempt, coalesce(split_part(type, '.', 2), 'not ended')
           AS status,
       started_at, ended_at, duration_s, pipelines, runner, nodes, error_type,
       error_message
FROM started LEFT JOIN ended USING (session_id, run_id, attempt)
""",
    "nodes": """
WITH planned AS (
    SELECT session_id, data->>'$.run_id' AS run_id, ATTEMPT_IN_DATA AS attempt,
           unnest(CAST(data->'$.nodes' AS JSON[])) AS plan
    FROM records WHERE type = 'run.started'
), told AS (
    SELECT session_id, data->>'$.run_id' AS run_id, ATTEMPT_IN_DATA AS attempt,
           data->>'$.node' AS node,
           arg_max(type, seq) AS type,
           min(recorded_at) FILTER (type = 'node.started') AS started_at,
           max(recorded_at) FILTER (type <> 'node.started') AS ended_at,
           arg_max(CAST(data->>'$.duration_s' AS DOUBLE), seq)
               FILTER (type IN ('node.completed', 'node.failed')) AS duration_s,
           arg_max(CAST(data->>'$.duration_s' AS DOUBLE), seq)
               FILTER (type = 'node.computed') AS compute_s,
           count(*) FILTER (type = 'node.started') AS tries,
           arg_max(data->>'$.error.type', seq) AS error_type,
           arg_max(data->>'$.error.message', seq) AS error_message
    FROM records
    WHERE type IN ('node.started', 'node.computed', 'node.completed', 'node.failed')
    GROUP BY ALL
)
SELECT p.session_id, p.run_id, p.attempt, p.plan->>'$.name' AS node,
       p.plan->>'$.namespace' AS namespace,
       coalesce(split_part(t.type, '.', 2), 'not started') AS status,
       t.started_at, t.ended_at, t.duration_s, t.compute_s,
       coalesce(t.tries, 0) AS tries, t.error_type, t.error_message,
       p.plan->>'$.function' AS function
FROM planned p LEFT JOIN told t
    ON t.session_id = p.session_id AND t.run_id IS NOT DISTINCT FROM p.run_id
   AND t.attempt = p.attempt AND t.node = p.plan->>'$.name'
""",
    "datasets": """
SELECT session_id, data->>'$.run_id' AS run_id, ATTEMPT_IN_DATA AS attempt,
       data->>'$.node' AS node, data->>'$.dataset' AS dataset,
       split_part(type, '.', 2) AS operation, recorded_at,
       CAST(data->>'$.duration_s' AS DOUBLE) AS duration_s,
       CAST(data->>'$.size_bytes' AS BIGINT) AS size_bytes,
       data->>'$.version' AS version, data->>'$.path' AS path
FROM records WHERE type IN ('dataset.loaded', 'dataset.saved')
""",
    "parameters": """
WITH last AS (
    SELECT session_id, arg_max(data->'$.parameters', seq) AS parameters
    FROM records WHERE type = 'context.loaded' GROUP BY session_id
)
SELECT session_id, replace(substr(t.fullkey, 3), '"', '') AS name,
       CASE t.type WHEN 'VARCHAR' THEN t.value->>'$'
                   ELSE CAST(t.value AS VARCHAR) END AS value,
       t.type AS type
FROM last, json_tree(last.parameters) AS t
WHERE t.type <> 'OBJECT' AND t.path NOT LIKE '%]%' AND t.fullkey NOT LIKE '%]'
""",
}
"""View -> its query, over the view `records`."""


class Answer(NamedTuple):
    """What a query returned.

    Attributes:
        columns: Names of the columns.
        rows: The rows, as values of Python.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def answer(
    where: JournalDirectory,
    ids: Sequence[str],
    sessions: Iterable[Mapping[str, Any]],
    sql: str,
) -> Answer:
    """Run one SELECT over the views of a directory.

    Args:
        where: The journal directory.
        ids: The sessions whose records are read.
        sessions: Rows of the view `sessions`; of each the keys `SESSION_COLUMNS`.
        sql: The query. Nothing but reading is accepted: the journals are safe.

    Raises:
        JournalError: DuckDB is not installed, or refuses the query.
    """
    try:
        import duckdb  # noqa: PLC0415 - an extra
    except ImportError as error:
        let_through(error)
        message = (
            "query needs DuckDB, which is an extra: pip install 'kedro-journal[query]'."
        )
        raise JournalError(message) from error
    try:
        with duckdb.connect() as base:
            base.execute("SET autoinstall_known_extensions = false")
            _check(duckdb, base, sql)
            _make_views(base, where, ids, sessions)
            found = base.execute(sql)
            columns = tuple(one[0] for one in found.description or ())
            return Answer(columns, found.fetchall())
    except duckdb.Error as error:
        let_through(error)
        text = " ".join(str(error).split())
        raise JournalError(f"DuckDB: {text}", exit_code=2) from error


def _check(duckdb: Any, base: Any, sql: str) -> None:
    """Refuse what is not exactly one statement that reads.

    Raises:
        JournalError: It is not.
    """
    kinds = [one.type for one in base.extract_statements(sql)]
    reading = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    if len(kinds) != 1 or kinds[0] not in reading:
        message = "give exactly one SELECT: `query` reads and changes nothing."
        raise JournalError(message, exit_code=2)


def _make_views(
    base: Any,
    where: JournalDirectory,
    ids: Sequence[str],
    sessions: Iterable[Mapping[str, Any]],
) -> None:
    columns = ", ".join(f'"{name}": "{kind}"' for name, kind in SESSION_COLUMNS.items())
    rows = [{name: one.get(name) for name in SESSION_COLUMNS} for one in sessions]
    form = f"from_json(?::JSON, '[{{{columns}}}]')"
    base.execute(
        f"CREATE TEMP TABLE sessions AS SELECT unnest({form}, recursive := true)",
        [msgspec.json.encode(rows).decode()],
    )
    if ids:
        files = ", ".join(_quoted(str(where.file(one))) for one in ids)
        base.execute(_RECORDS.format(files=f"[{files}]"))
    else:
        base.execute(
            "CREATE TEMP VIEW records AS SELECT '' AS session_id, 0::BIGINT AS seq, "
            "NULL::TIMESTAMP AS recorded_at, '' AS writer, '' AS type, "
            "NULL::JSON AS data WHERE false"
        )
    for name, query in VIEWS.items():
        base.execute(f"CREATE TEMP VIEW {name} AS {query.replace(*_ATTEMPT)}")


def _quoted(text: str) -> str:
    # The name of a folder may have what is a pattern to DuckDB.
    safe = "".join(f"[{char}]" if char in "*?[" else char for char in text)
    return "'" + safe.replace("'", "''") + "'"
