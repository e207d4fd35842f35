"""Gradient boosting of decision stumps, in pure Python.

A stump asks one question, "is this feature at most this threshold?", and has one
answer for yes and one for no. Each epoch adds the stump that best explains what the
stumps before it left unexplained.
"""

import logging
import random
from typing import Any

from ...table import Row

logger = logging.getLogger(__name__)

# The feature's place in the list of features, the threshold, and the two answers.
Stump = tuple[int, float, float, float]


def fit(
    rows: list[Row], targets: list[float], features: list[str], options: dict[str, Any]
) -> dict[str, Any]:
    """Fit the stumps and return the model, in a form that JSON can hold.

    Its run time grows in proportion to ``options["epochs"]``. The same rows, options
    and seed always give the same model.
    """
    rng = random.Random(options["seed"])
    epochs, rate = options["epochs"], options["learning_rate"]
    columns = [[float(row[name]) for row in rows] for name in features]
    # Sorting once is enough: the values never change, only what is left to explain.
    orders = [sorted(range(len(rows)), key=column.__getitem__) for column in columns]

    start = sum(targets) / len(targets)
    residuals = [target - start for target in targets]
    sample_size = max(1, round(options["subsample"] * len(rows)))
    stumps: list[list[float]] = []
    for epoch in range(1, epochs + 1):
        # A fresh sample for each stump keeps them from repeating one another's errors.
        chosen = set(rng.sample(range(len(rows)), sample_size))
        stump = _best_stump(
            columns, orders, residuals, chosen, options["minimum_leaf_rows"]
        )
        if stump is None:
            logger.info("No stump is left to add after %d epochs", epoch - 1)
            break
        place, threshold, low, high = stump
        low, high = rate * low, rate * high
        for i, value in enumerate(columns[place]):
            residuals[i] -= low if value <= threshold else high
        stumps.append([place, threshold, low, high])
        # About ten messages, however long the training is.
        if epoch % max(1, epochs // 10) == 0:
            loss = sum(residual * residual for residual in residuals) / len(residuals)
            logger.info("Epoch %d of %d: mean squared error %.5f", epoch, epochs, loss)
    return {"features": features, "start": start, "stumps": stumps}


def predict(model: dict[str, Any], row: Row) -> float:
    """Add up the answers of all stumps for one row."""
    values = [float(row[name]) for name in model["features"]]
    total = model["start"]
    for place, threshold, low, high in model["stumps"]:
        total += low if values[place] <= threshold else high
    return total


def _best_stump(
    columns: list[list[float]],
    orders: list[list[int]],
    residuals: list[float],
    chosen: set[int],
    minimum_leaf_rows: int,
) -> Stump | None:
    """Find the stump that lowers the squared error of the chosen rows the most."""
    total = sum(residuals[i] for i in sorted(chosen))
    best: Stump | None = None
    # Without any split, the error falls by this much; a split has to do better.
    best_gain = total * total / len(chosen) + 1e-12
    for place, (column, order) in enumerate(zip(columns, orders)):
        below, below_sum, previous = 0, 0.0, None
        for i in order:
            if i not in chosen:
                continue
            value = column[i]
            above = len(chosen) - below
            # Rows with equal values cannot be told apart by a threshold.
            if (
                value != previous
                and below >= minimum_leaf_rows
                and above >= minimum_leaf_rows
            ):
                above_sum = total - below_sum
                gain = below_sum * below_sum / below + above_sum * above_sum / above
                if gain > best_gain:
                    best_gain = gain
                    threshold = (previous + value) / 2 if previous is not None else 0.0
                    best = (place, threshold, below_sum / below, above_sum / above)
            below += 1
            below_sum += residuals[i]
            previous = value
    return best
