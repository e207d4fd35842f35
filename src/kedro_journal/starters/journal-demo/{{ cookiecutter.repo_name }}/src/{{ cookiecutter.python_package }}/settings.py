"""Project settings: https://docs.kedro.org/en/stable/configure/configuration_basics/"""

from kedro_journal.session import KedroSession

# A session whose runs are journalled: each lifecycle event (run, node, dataset,
# error) is appended to a JSONL file as it happens. That includes what happens in the
# worker processes of ParallelRunner: when these are spawned rather than forked, Kedro
# does not call the hooks that this file may declare.
# Remove this line and the import to go back to Kedro's plain session.
SESSION_CLASS = KedroSession

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # Kedro replaces a whole top-level section by default. "soft" merges inside it, so
    # an environment (see conf/staging) may override one value and keep the others.
    "merge_strategy": {"parameters": "soft"},
}
