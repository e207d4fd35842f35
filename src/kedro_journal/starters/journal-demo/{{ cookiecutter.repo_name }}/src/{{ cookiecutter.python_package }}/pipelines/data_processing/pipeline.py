"""Raw tables to features."""

from kedro.pipeline import Pipeline, node

from .nodes import (
    build_features,
    clean_bookings,
    clean_calendar,
    clean_weather,
    join_tables,
    summarise_quality,
)


def create_pipeline(**kwargs: object) -> Pipeline:
    """The three cleaning nodes are independent, so they can run in parallel."""
    return Pipeline(
        [
            node(
                clean_bookings,
                inputs=["my_data", "params:cleaning"],
                outputs="bookings",
                name="clean_bookings",
            ),
            node(
                clean_calendar,
                inputs="raw_calendar",
                outputs="calendar",
                name="clean_calendar",
            ),
            node(
                clean_weather,
                inputs=["raw_weather", "params:cleaning"],
                outputs="weather",
                name="clean_weather",
            ),
            node(
                summarise_quality,
                inputs=[
                    "my_data",
                    "bookings",
                    "raw_calendar",
                    "calendar",
                    "raw_weather",
                    "weather",
                ],
                outputs="data_quality",
                name="summarise_quality",
            ),
            node(
                join_tables,
                inputs=["bookings", "calendar", "weather"],
                outputs="sailings",
                name="join_tables",
            ),
            node(
                build_features,
                inputs=["sailings", "params:features"],
                outputs="features",
                name="build_features",
            ),
        ]
    )
