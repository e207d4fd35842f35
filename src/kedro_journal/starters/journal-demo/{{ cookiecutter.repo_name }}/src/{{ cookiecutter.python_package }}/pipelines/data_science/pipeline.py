"""Features to a judged model."""

from kedro.pipeline import Pipeline, node

from .nodes import (
    check_quality,
    evaluate_baseline,
    evaluate_model,
    split_rows,
    train_baseline,
    train_model,
)


def create_pipeline(**kwargs: object) -> Pipeline:
    """The model and the baseline are trained and evaluated side by side."""
    return Pipeline(
        [
            node(
                split_rows,
                inputs=["features", "params:split"],
                outputs=["train_rows", "test_rows"],
                name="split_rows",
            ),
            node(
                train_model,
                inputs=["train_rows", "params:model"],
                outputs="model",
                name="train_model",
            ),
            node(
                train_baseline,
                inputs="train_rows",
                outputs="baseline",
                name="train_baseline",
            ),
            node(
                evaluate_model,
                inputs=["model", "test_rows"],
                outputs=["predictions", "model_metrics"],
                name="evaluate_model",
            ),
            node(
                evaluate_baseline,
                inputs=["baseline", "test_rows"],
                outputs="baseline_metrics",
                name="evaluate_baseline",
            ),
            node(
                check_quality,
                inputs=["model_metrics", "baseline_metrics", "params:evaluation"],
                outputs="quality_verdict",
                name="check_quality",
            ),
        ]
    )
