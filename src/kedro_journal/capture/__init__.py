"""Capture: Kedro's objects and this process -> plain fields of events.

What it owns: the reading of everything that an event records about the world. Nothing
here writes to a journal, and nothing here knows a session.

Main modules:
    compat: Kedro's private names. No other module touches them.
    fields: the process, its versions, exceptions and the command line.
    configuration, provenance, parts: `context.loaded` and where each parameter is set.
    entries, stored, fingerprints, confirms: datasets: places, versions, identity.
    runner, identity, place, process, git, diff, installed, sources, project: the rest.
    carriers, without_data: texts of exceptions without data values.
    user_key: the key that digests of masked values are made with.

Invariants:
    Best effort: a missing field is better than a failed run. A function that cannot
    answer returns None or an empty value.
    No data value of the user is returned, and none is loaded to describe it.

Depends on journal, events and redaction. `recording`, `hooks` and `session` call it.
"""
