"""One process of Kedro that runs the pipeline a few times; prints the quickest."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project


class Noop:
    """Hooks of the same signatures that do nothing."""

    @hook_impl
    def after_context_created(self, context: Any) -> None: ...
    @hook_impl
    def after_catalog_created(
        self, conf_catalog: Any, conf_creds: Any, parameters: Any
    ) -> None: ...
    @hook_impl
    def before_pipeline_run(
        self, run_params: Any, pipeline: Any, catalog: Any
    ) -> None: ...
    @hook_impl
    def after_pipeline_run(
        self, run_params: Any, run_result: Any, pipeline: Any
    ) -> None: ...
    @hook_impl
    def on_pipeline_error(self, error: Any, run_params: Any) -> None: ...
    @hook_impl
    def before_node_run(self, node: Any, catalog: Any, run_id: Any) -> None: ...
    @hook_impl
    def after_node_run(self, node: Any, outputs: Any, run_id: Any) -> None: ...
    @hook_impl
    def on_node_error(self, error: Any, node: Any, run_id: Any) -> None: ...
    @hook_impl
    def before_dataset_loaded(self, dataset_name: str, node: Any) -> None: ...
    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, node: Any) -> None: ...
    @hook_impl
    def before_dataset_saved(self, dataset_name: str, node: Any) -> None: ...
    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Any) -> None: ...


def session_of(variant: str, project: Path) -> Any:
    if variant == "class":
        from kedro_journal.session import KedroSession as OurSession

        return OurSession.create(project_path=project)
    session = KedroSession.create(project_path=project)
    if variant == "noop":
        session._hook_manager.register(Noop())
    return session


def main() -> None:
    project, variant = Path(sys.argv[1]), sys.argv[2].partition("-")[0]
    bootstrap_project(project)
    os.chdir(project)
    logging.disable(logging.CRITICAL)
    found: list[tuple[float, float]] = []
    times = 2 if os.environ.get("BENCH_SLOW") else 4
    for _ in range(times):
        with session_of(variant, project) as session:
            cpu, wall = time.process_time(), time.perf_counter()
            session.run()
            found.append((time.process_time() - cpu, time.perf_counter() - wall))
    # The first one imports.
    cpu_s, wall_s = (min(values) for values in zip(*found[1:], strict=True))
    print("\n" + json.dumps({"cpu_s": cpu_s, "wall_s": wall_s}))


main()
