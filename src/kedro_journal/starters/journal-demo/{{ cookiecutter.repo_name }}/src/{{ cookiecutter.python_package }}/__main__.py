"""Run the packaged project: `{{ cookiecutter.repo_name }}` or `python -m`."""

import sys
from pathlib import Path
from typing import Any

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main(*args: Any, **kwargs: Any) -> Any:
    """Configure the project, then hand over to its `run` command."""
    package_name = Path(__file__).parent.name
    configure_project(package_name)

    # In an interactive interpreter, click must return instead of exiting.
    interactive = hasattr(sys, "ps1")
    kwargs["standalone_mode"] = not interactive

    run = find_run_command(package_name)
    return run(*args, **kwargs)


if __name__ == "__main__":
    main()
