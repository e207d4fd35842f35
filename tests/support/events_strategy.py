"""Any events, in any order, also nonsensical ones."""

from __future__ import annotations

from hypothesis import strategies as st

from kedro_journal.events import (
    EVENT_TYPES,
    CatalogEntry,
    CommandLine,
    ErrorInfo,
    Event,
    Frame,
    Git,
    PlannedNode,
    UnknownEvent,
    Versions,
)

# Few names, so that events meet each other.
run_ids = st.sampled_from([None, "r1", "r2"])
names = st.sampled_from(["split", "train", "evaluate", ""])
datasets = st.sampled_from(["raw", "model", "params:lr"])
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
seconds = st.none() | st.floats(0, 1e6, allow_nan=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=5,
)
mappings = st.dictionaries(texts, values, max_size=3)
strings = st.dictionaries(texts, texts, max_size=3)
frames = st.builds(Frame, file=texts, line=st.integers(0, 99), function=texts)
errors = st.builds(
    ErrorInfo,
    type=st.sampled_from(["ValueError", "KeyboardInterrupt", "pkg.Own"]),
    message=texts,
    frames=st.lists(frames, max_size=2).map(tuple),
    cause=st.none() | st.builds(ErrorInfo, type=texts),
)
planned = st.builds(
    PlannedNode,
    name=names,
    inputs=st.lists(datasets, max_size=2).map(tuple),
    outputs=st.lists(datasets, max_size=2).map(tuple),
)
_FIELDS = {
    "run_id": run_ids,
    "node": names,
    "dataset": datasets,
    "attempt": st.integers(1, 2),
    "part": st.integers(1, 2),
    "duration_s": seconds,
    "error": errors,
    "nodes": st.lists(planned, max_size=3).map(tuple),
    "depth": st.integers(1, 2),
    "phase": st.sampled_from(["loading", "running", "saving"]),
    "role": st.sampled_from(["owner", "worker"]),
    "fields": mappings,
    "filters": mappings,
    "runtime_params": mappings,
    "parameters": mappings,
    "environment": strings,
    "labels": strings,
    "env": st.none() | texts,
    "command": st.none() | st.builds(CommandLine, argv=st.lists(texts).map(tuple)),
    "git": st.none() | st.builds(Git, sha=texts, dirty=st.booleans()),
    "versions": st.builds(Versions, python=texts),
    "catalog": st.lists(st.builds(CatalogEntry, name=datasets), max_size=2).map(tuple),
    "input_versions": st.lists(st.tuples(datasets, texts), max_size=2).map(tuple),
    "load_versions": st.lists(st.tuples(datasets, texts), max_size=2).map(tuple),
}
_REQUIRED = {"text": texts, "parent_session_id": texts, "session_id": texts}
_REQUIRED |= dict.fromkeys(("uid", "salt", "package_version"), texts)
_REQUIRED |= {
    name: st.integers(0, 9) for name in ("offset", "length", "dropped", "pid")
}


def _of(cls: type[Event]) -> st.SearchStrategy[Event]:
    fields = cls.__struct_fields__
    known = {name: _FIELDS[name] for name in fields if name in _FIELDS}
    first = len(fields) - len(cls.__struct_defaults__)
    for number, name in enumerate(fields):
        if name not in known and (number < first or _required(cls, name)):
            known[name] = _REQUIRED[name]
    return st.builds(cls, **known)


def _required(cls: type[Event], name: str) -> bool:
    import msgspec

    found = {field.name: field for field in msgspec.structs.fields(cls)}[name]
    return found.required


unknown = st.builds(
    UnknownEvent,
    type=st.sampled_from(["node.paused", "run.started", 'odd"\n']),
    version=st.integers(1, 9),
    raw=st.sampled_from([b"{}", b'{"x": 1.50}', b"[1,2]", b"null"]),
)
by_type = {name: _of(cls) for name, cls in EVENT_TYPES.items()}
events = st.one_of(*by_type.values(), unknown)
