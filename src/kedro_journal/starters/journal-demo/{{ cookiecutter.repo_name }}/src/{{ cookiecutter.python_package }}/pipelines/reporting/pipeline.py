"""Judged model to report."""

from kedro.pipeline import Pipeline, node

from .nodes import draw_demand_chart, write_report


def create_pipeline(**kwargs: object) -> Pipeline:
    """The report needs the verdict, so a rejected model never gets one."""
    return Pipeline(
        [
            node(
                draw_demand_chart,
                inputs="predictions",
                outputs="demand_chart",
                name="draw_demand_chart",
            ),
            node(
                write_report,
                inputs=[
                    "quality_verdict",
                    "data_quality",
                    "demand_chart",
                    "params:report",
                ],
                outputs="demand_report",
                name="write_report",
            ),
        ]
    )
