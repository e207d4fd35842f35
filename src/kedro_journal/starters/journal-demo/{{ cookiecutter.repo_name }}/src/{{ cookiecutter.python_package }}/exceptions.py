"""Errors that the pipelines raise on purpose."""


class ModelQualityError(Exception):
    """A trained model is not good enough to be reported."""

    def __init__(self, metric: str, value: float, threshold: float) -> None:
        # The base class gets exactly these arguments, because unpickling calls
        # ModelQualityError(*args): an error raised in a worker process travels to
        # the main process by pickle.
        super().__init__(metric, value, threshold)
        self.metric = metric
        self.value = value
        self.threshold = threshold

    def __str__(self) -> str:
        return (
            f"Model rejected: {self.metric} on the test days is {self.value:.4f}, "
            f"below the required minimum of {self.threshold:.4f} "
            f"(parameter evaluation.minimum_{self.metric})."
        )
