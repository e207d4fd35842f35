"""One run of nodes that ask for the state of their session, as a node of a user may."""

from __future__ import annotations

import logging
import tempfile
from itertools import pairwise
from pathlib import Path


def main(folder: str, number: int, asks: bool) -> None:
    """Run so many nodes, one after the other, under our session class."""
    from kedro.framework.project import pipelines
    from kedro.framework.startup import bootstrap_project
    from kedro.pipeline import node, pipeline

    from kedro_journal.session import KedroSession, get_current_session

    logging.disable(logging.CRITICAL)

    def ask(value: int) -> int:
        if asks:
            session = get_current_session()
            assert session.state.status == "active"
        return value

    with tempfile.TemporaryDirectory(dir=folder) as made:
        project = Path(made)
        package = project / "src" / "asking"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "settings.py").touch()
        registry = "def register_pipelines():\n    return {}\n"
        (package / "pipeline_registry.py").write_text(registry)
        (project / "conf" / "base").mkdir(parents=True)
        (project / "conf" / "local").mkdir()
        (project / "conf" / "base" / "catalog.yml").touch()
        (project / "conf" / "base" / "parameters.yml").write_text("begin: 1\n")
        (project / "pyproject.toml").write_text(
            '[tool.kedro]\npackage_name = "asking"\nproject_name = "Asking"\n'
            'kedro_init_version = "1.0.0"\nsource_dir = "src"\n'
        )
        bootstrap_project(project)
        names = ["params:begin", *(f"value_{count}" for count in range(number))]
        pipelines["__default__"] = pipeline(
            [node(ask, one, two, name=f"ask_{two}") for one, two in pairwise(names)]
        )
        with KedroSession.create(project_path=project) as session:
            session.run()
