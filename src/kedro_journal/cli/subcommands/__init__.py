"""The commands, one module for each: parse, call, print.

A module is imported when its command is called. What several commands share is in
`cli.common`, `cli.again` and `cli.options`; what stdout is, in `console`.

Invariants:
    No command that reads imports Kedro; `resume` and `rerun` do.
    stdout has the answer and nothing else. Errors and notices go to stderr.
    With `--json`, the answer is the same facts as JSON.

The name of a module is that of its command; `cli.COMMANDS` maps one to the other.
Who may write: `init` writes to settings.py, `demo` to its folder, and `resume` and
`rerun` start sessions. No other command writes to a project.
"""
