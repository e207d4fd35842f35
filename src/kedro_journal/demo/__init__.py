"""Demo: a small project, and the story that its journals tell.

What it owns: the steps of `kedro-journal demo`.

Modules:
    project: the folder of the demo, and how Kedro makes the project in it.
    process: the Kedro commands that it starts, watched through their journals.
    story: the steps, in order.
    teller: what each step does: run, watch, read back, check, print.
    voice: what is printed, and what is kept of each step for `--json`.

Invariants:
    Each statement that the demo prints is read back from a journal.
    Only its own folder is written to, and only its own processes are stopped.

Depends on the packages that read journals. `cli.subcommands.demo` is the one caller.
"""
