"""Split the rows, train a model and a baseline, evaluate both, and judge the model."""

import logging
import math
import random
from collections import defaultdict
from typing import Any

from ...exceptions import ModelQualityError
from ...table import Table
from . import boosting

logger = logging.getLogger(__name__)

KEYS = ("date", "route")
TARGET = "passengers"


def split_rows(features: Table, split: dict[str, Any]) -> tuple[Table, Table]:
    """Hold out whole days for the test, chosen by the seed.

    Routes share the weather and the events of a day. With single rows held out, the
    test would ask about days that the training has already seen.
    """
    days = sorted(set(features.column("date")))
    rng = random.Random(split["seed"])
    test_days = set(rng.sample(days, round(split["test_share"] * len(days))))
    train = [row for row in features if row["date"] not in test_days]
    test = [row for row in features if row["date"] in test_days]
    logger.info("%d rows to train on, %d to test on", len(train), len(test))
    return Table(features.columns, train), Table(features.columns, test)


def train_model(train_rows: Table, model: dict[str, Any]) -> dict[str, Any]:
    """Train boosted stumps on the logarithm of the demand.

    Holidays and weather change demand by a factor. On a logarithmic scale factors
    add up, and adding up is all that stumps can do.
    """
    features = [
        name for name in train_rows.columns if name not in KEYS and name != TARGET
    ]
    targets = [math.log1p(passengers) for passengers in train_rows.column(TARGET)]
    return boosting.fit(train_rows.rows, targets, features, model)


def train_baseline(train_rows: Table) -> dict[str, dict[str, float]]:
    """Average the demand by route and weekday: what a planner would do by hand."""
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in train_rows:
        # The keys are text, because those of a JSON object have to be.
        groups[row["route"]][str(row["weekday"])].append(row[TARGET])
    return {
        route: {
            weekday: round(sum(counts) / len(counts), 3)
            for weekday, counts in sorted(by_weekday.items())
        }
        for route, by_weekday in sorted(groups.items())
    }


def evaluate_model(
    model: dict[str, Any], test_rows: Table
) -> tuple[Table, dict[str, float]]:
    """Forecast the test rows, and compare the forecasts with what happened."""
    rows = [
        {
            "date": row["date"],
            "route": row["route"],
            "passengers": row[TARGET],
            "forecast": round(math.expm1(boosting.predict(model, row)), 2),
        }
        for row in test_rows
    ]
    predictions = Table([*KEYS, TARGET, "forecast"], rows)
    metrics = _score(predictions.column(TARGET), predictions.column("forecast"))
    logger.info("Model: %s", metrics)
    return predictions, metrics


def evaluate_baseline(
    baseline: dict[str, dict[str, float]], test_rows: Table
) -> dict[str, float]:
    """Score the baseline on the same rows as the model."""
    forecasts = [baseline[row["route"]][str(row["weekday"])] for row in test_rows]
    metrics = _score(test_rows.column(TARGET), forecasts)
    logger.info("Baseline: %s", metrics)
    return metrics


def check_quality(
    model_metrics: dict[str, float],
    baseline_metrics: dict[str, float],
    evaluation: dict[str, Any],
) -> dict[str, Any]:
    """Let a good model through to the report, and stop the run for a bad one.

    Raises:
        ModelQualityError: If R2 is below ``evaluation.minimum_r2``.
    """
    value, threshold = model_metrics["r2"], evaluation["minimum_r2"]
    # Put this way round, a value that is not a number is rejected too.
    if not value >= threshold:
        raise ModelQualityError("r2", value, threshold)
    return {
        "minimum_r2": threshold,
        "model": model_metrics,
        "baseline": baseline_metrics,
        "error_saved_per_sailing": round(
            baseline_metrics["mean_absolute_error"]
            - model_metrics["mean_absolute_error"],
            2,
        ),
    }


def _score(actual: list[int], forecast: list[float]) -> dict[str, float]:
    errors = [a - f for a, f in zip(actual, forecast)]
    mean = sum(actual) / len(actual)
    spread = sum((a - mean) ** 2 for a in actual)
    squares = sum(error * error for error in errors)
    return {
        "r2": round(1 - squares / spread, 6),
        "root_mean_squared_error": round(math.sqrt(squares / len(errors)), 4),
        "mean_absolute_error": round(sum(map(abs, errors)) / len(errors), 4),
    }
