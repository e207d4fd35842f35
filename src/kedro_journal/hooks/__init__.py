"""Hooks: Kedro's hook calls -> events.

What it owns: everything that Kedro calls, except the session classes.

Main modules:
    plugin: the hook objects that the entry points give to Kedro.
    session_hooks: `SessionHooks`, one hook call to one event.
    links: a session of a project whose session class is not ours.
    command: the Kedro command that this process is, and what ended it.
    run_plan, run_endings: `run.started`, and the events that end a run.
    dataset_ends, node_confirms: loads, saves and confirmations.
    other_plugins: what the hooks of other plugins raise.
    worker_context: what travels with a node to a worker process.
    asked, hint: settings that cannot be read as usual; the line after a failed command.

Invariants:
    Importing `plugin` never fails: Kedro imports it for every command.
    A hook never raises, except where the settings are strict, and never changes what
    Kedro or another plugin does.

Who may write: hook objects, through the recorder of their session.
"""
