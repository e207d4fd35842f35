"""Write the raw tables of the demo: one invented year of an invented ferry company.

The tables are shipped with the project, so there is no need to run this. It is kept
to show where the numbers come from, and which faults were put into them on purpose.
The seed is fixed: every run writes the same files.

    python scripts/make_raw_tables.py [folder, default data/01_raw]
"""

import csv
import math
import random
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

SEED = 2024
FIRST_DAY = date(2024, 1, 1)
DAYS = 366

# Mean passengers per day, and the fare in summer.
ROUTES = (("MAR-OYS", 210, 34.0), ("MAR-TEL", 135, 47.5), ("OYS-TEL", 70, 22.0))
STATIONS = ("Marrow Head", "Oystra")

PUBLIC_HOLIDAYS = {
    date(2024, 1, 1), date(2024, 3, 29), date(2024, 4, 1), date(2024, 5, 1),
    date(2024, 5, 9), date(2024, 5, 20), date(2024, 6, 21), date(2024, 11, 1),
    date(2024, 12, 25), date(2024, 12, 26),
}  # fmt: skip
SCHOOL_HOLIDAYS = (
    (date(2024, 1, 1), date(2024, 1, 5)),
    (date(2024, 2, 12), date(2024, 2, 16)),
    (date(2024, 3, 25), date(2024, 4, 5)),
    (date(2024, 6, 24), date(2024, 8, 16)),
    (date(2024, 10, 14), date(2024, 10, 25)),
    (date(2024, 12, 23), date(2024, 12, 31)),
)
EVENTS = {
    date(2024, 5, 18): "spring regatta",
    date(2024, 5, 19): "spring regatta",
    date(2024, 7, 13): "island music days",
    date(2024, 7, 14): "island music days",
    date(2024, 8, 31): "harbour festival",
    date(2024, 9, 28): "herring fair",
    date(2024, 9, 29): "herring fair",
    date(2024, 12, 7): "winter market",
    date(2024, 12, 14): "winter market",
}

Row = dict[str, Any]


def make_weather(rng: random.Random, days: list[date]) -> list[Row]:
    """Two stations' readings a day, each day related to the day before."""
    rows = []
    wind, warmth = 8.0, 0.0
    for day in days:
        season = math.cos(2 * math.pi * (day.timetuple().tm_yday - 200) / 366)
        wind = max(0.5, 0.6 * wind + 0.4 * (9 - 3 * season) + rng.gauss(0, 2.4))
        warmth = 0.7 * warmth + rng.gauss(0, 1.6)
        rain = max(0.0, rng.gauss(0.8 + 0.25 * (wind - 8), 2.5))
        for station in STATIONS:
            local = max(0.3, wind + rng.gauss(0, 0.8))
            rows.append(
                {
                    "date": day.isoformat(),
                    "station": station,
                    "wind_ms": f"{local:.1f}",
                    "wave_m": f"{0.02 * local * local + 0.1:.2f}",
                    "temperature_c": f"{9 + 8 * season + warmth:.1f}",
                    "rain_mm": f"{max(0.0, rain + rng.gauss(0, 0.4)):.1f}",
                }
            )
    return rows


def make_calendar(days: list[date]) -> list[Row]:
    """One row a day: what kind of day it is."""
    return [
        {
            "date": day.isoformat(),
            "public_holiday": "yes" if day in PUBLIC_HOLIDAYS else "no",
            "school_holiday": "yes" if is_school_holiday(day) else "no",
            "event": EVENTS.get(day, ""),
        }
        for day in days
    ]


def is_school_holiday(day: date) -> bool:
    """Tell whether the schools are closed for a holiday."""
    return any(first <= day <= last for first, last in SCHOOL_HOLIDAYS)


def make_bookings(
    rng: random.Random, days: list[date], weather: list[Row]
) -> list[Row]:
    """One row per day and route; factors multiply, as demand tends to."""
    wind_on = {row["date"]: float(row["wind_ms"]) for row in weather}
    rows: list[Row] = []
    for day in days:
        season = math.cos(2 * math.pi * (day.timetuple().tm_yday - 200) / 366)
        factor = math.exp(0.45 * season)
        factor *= (0.85, 0.8, 0.85, 0.95, 1.3, 1.4, 1.15)[day.weekday()]
        factor *= 1.35 if day in PUBLIC_HOLIDAYS else 1.0
        factor *= 1.2 if is_school_holiday(day) else 1.0
        factor *= 1.6 if day in EVENTS else 1.0
        wind = wind_on[day.isoformat()]
        factor *= 1.0 if wind < 11 else math.exp(-0.12 * (wind - 11))
        for route, base, fare in ROUTES:
            passengers = round(base * factor * math.exp(rng.gauss(0, 0.1)))
            price = fare * (1.0 if season > 0 else 0.85) + rng.choice((0, 0, 1.5))
            rows.append(
                {
                    "booking_id": f"B{len(rows) + 1:05d}",
                    "date": day.isoformat(),
                    "route": route,
                    "fare_eur": f"{price:.2f}",
                    "passengers": str(passengers),
                    "vehicles": str(round(passengers * rng.uniform(0.18, 0.3))),
                }
            )
    return rows


def spoil(rng: random.Random, rows: list[Row], column: str, faults: list[Any]) -> None:
    """Put each fault into the column of another row, chosen at random.

    A fault is the cell to write, or a function of the cell that was there.
    """
    for row, fault in zip(rng.sample(rows, len(faults)), faults):
        row[column] = fault(row[column]) if callable(fault) else fault


def duplicate(rng: random.Random, rows: list[Row], count: int) -> None:
    """Repeat some rows a few lines further down, as a retried export does."""
    for row in rng.sample(rows, count):
        at = rows.index(row) + rng.randint(1, 9)
        rows.insert(at, dict(row))


def day_first(text: str) -> str:
    """Write a date as the ticket desks' old software did."""
    return date.fromisoformat(text).strftime("%d/%m/%Y")


def decimal_comma(text: str) -> str:
    """Write a number with a decimal comma."""
    return text.replace(".", ",")


def add_faults(
    rng: random.Random, bookings: list[Row], calendar: list[Row], weather: list[Row]
) -> None:
    """Spoil the tables, about as much as real exports are spoilt."""
    missing = ["", "", "", "n/a"]
    spoil(rng, bookings, "passengers", missing * 5 + ["full"] * 4 + ["-1"] * 3)
    spoil(rng, bookings, "passengers", ["9999", "99999"])
    spoil(rng, bookings, "fare_eur", missing * 4 + [decimal_comma] * 25)
    spoil(rng, bookings, "fare_eur", [lambda text: f"EUR {text}"] * 18)
    spoil(rng, bookings, "route", [str.lower] * 14 + [lambda text: f" {text} "] * 9)
    spoil(rng, bookings, "route", ["", "???", "MAR-XXX"])
    spoil(rng, bookings, "date", [day_first] * 30 + ["", "2024-02-30"])
    duplicate(rng, bookings, 14)

    spoil(rng, calendar, "school_holiday", [""] * 6)
    spoil(rng, calendar, "public_holiday", ["", "", "No", "N", "0"])
    duplicate(rng, calendar, 3)

    spoil(rng, weather, "wind_ms", missing * 2 + ["999.9"] * 5 + ["-99"] * 3)
    spoil(rng, weather, "wave_m", missing * 3)
    spoil(rng, weather, "temperature_c", missing * 2 + [decimal_comma] * 20)
    spoil(rng, weather, "rain_mm", ["trace"] * 10 + missing * 2)
    spoil(rng, weather, "date", [day_first] * 12)
    duplicate(rng, weather, 6)
    # The stations were both off for two days.
    gap = {"2024-03-11", "2024-03-12"}
    weather[:] = [row for row in weather if row["date"] not in gap]


def write(path: Path, rows: list[Row]) -> None:
    """Write one table."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Make the three tables and write them to the folder given."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "data/01_raw")
    rng = random.Random(SEED)
    days = [FIRST_DAY + timedelta(days=n) for n in range(DAYS)]
    weather = make_weather(rng, days)
    calendar = make_calendar(days)
    bookings = make_bookings(rng, days, weather)
    add_faults(rng, bookings, calendar, weather)
    write(folder / "bookings.csv", bookings)
    write(folder / "calendar.csv", calendar)
    write(folder / "weather.csv", weather)


if __name__ == "__main__":
    main()
