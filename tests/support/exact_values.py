"""Values that YAML, JSON, `--params` and Python give as parameters; what is equal."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

__all__ = ["is_same", "keys", "texts", "values"]

MARKS = [
    *("[redacted]", "[redaction failed]", "x[... 12 characters more]", "$int", "$map"),
    *("$truncated", "$value", "$type", "$", "", "a.b", "\ud800", "\U0001f600", "nan"),
]
texts = st.text(max_size=12) | st.sampled_from(MARKS) | st.text(st.characters())
numbers = (
    st.integers()
    | st.integers(min_value=2**53 - 2, max_value=2**53 + 2)
    | st.integers(min_value=10**4000, max_value=10**4010)
    | st.floats()
    | st.sampled_from([-0.0, 1e22, 5e-324, 2**64, -(2**53) - 1])
)
zones = st.none() | st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))])
scalars = (
    st.none()
    | st.booleans()
    | numbers
    | texts
    | st.binary(max_size=12)
    | st.dates()
    | st.datetimes(timezones=zones, allow_imaginary=True).map(
        lambda found: found.replace(fold=0)
    )
)
keys = texts | st.integers() | st.booleans() | st.none() | st.floats() | st.dates()
keys = keys | st.tuples(st.integers(), texts)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(texts | st.integers(), max_size=3)
    ),
    max_leaves=12,
)


def is_same(one: Any, other: Any) -> bool:  # noqa: PLR0911
    """Compare values and types; NaN equals NaN, and 0.0 differs from -0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        if math.isnan(one):
            return math.isnan(other)
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict):
        if len(one) != len(other):
            return False
        return all(
            is_same(a, b) and is_same(x, y)
            for (a, x), (b, y) in zip(one.items(), other.items(), strict=True)
        )
    if isinstance(one, datetime):
        return one == other and one.utcoffset() == other.utcoffset()
    return bool(one == other)
