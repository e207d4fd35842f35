"""Parse and clean the three raw tables, join them, and derive the features."""

import logging
import math
import statistics
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from ...table import Row, Table

logger = logging.getLogger(__name__)

ROUTES = ("MAR-OYS", "MAR-TEL", "OYS-TEL")
READINGS = ("wind_ms", "wave_m", "temperature_c", "rain_mm")


def parse_number(text: str) -> float | None:
    """Read "1.5", "1,5" or "EUR 1.5"; anything that is no finite number is None."""
    text = text.replace("EUR", "").strip().replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def parse_date(text: str) -> str | None:
    """Read a date written year first or day first; return it as ISO, or None."""
    for style in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text.strip(), style).date().isoformat()
        except ValueError:
            continue
    return None


def parse_flag(text: str) -> int:
    """Read yes or no, however it was spelt. An empty cell means no."""
    return int(text.strip().lower() in {"yes", "y", "1", "true"})


def clean_bookings(raw: Table, cleaning: dict[str, Any]) -> Table:
    """Keep one valid row per day and route, and fill missing fares.

    A row without a credible passenger count is dropped: the count is what the model
    learns to forecast, so an invented one would do harm.
    """
    kept: dict[tuple[str, str], Row] = {}
    dropped: Counter[str] = Counter()
    for row in raw:
        day = parse_date(row["date"])
        route = row["route"].strip().upper()
        passengers = parse_number(row["passengers"])
        if day is None:
            dropped["no valid date"] += 1
        elif route not in ROUTES:
            dropped["unknown route"] += 1
        elif passengers is None:
            dropped["no passenger count"] += 1
        elif not 0 <= passengers <= cleaning["maximum_passengers"]:
            dropped["passenger count out of range"] += 1
        elif (day, route) in kept:
            dropped["duplicate"] += 1
        else:
            kept[day, route] = {
                "date": day,
                "route": route,
                "fare_eur": parse_number(row["fare_eur"]),
                "passengers": int(passengers),
            }
    _log_dropped("bookings", dropped)

    rows = [kept[key] for key in sorted(kept)]
    usual_fare = {
        route: statistics.median(
            row["fare_eur"]
            for row in rows
            if row["route"] == route and row["fare_eur"] is not None
        )
        for route in sorted({row["route"] for row in rows})
    }
    for row in rows:
        if row["fare_eur"] is None:
            row["fare_eur"] = usual_fare[row["route"]]
    return Table(["date", "route", "fare_eur", "passengers"], rows)


def clean_calendar(raw: Table) -> Table:
    """Keep one row per day, with the kind of day as flags of 0 or 1."""
    kept: dict[str, Row] = {}
    dropped: Counter[str] = Counter()
    for row in raw:
        day = parse_date(row["date"])
        if day is None:
            dropped["no valid date"] += 1
        elif day in kept:
            dropped["duplicate"] += 1
        else:
            kept[day] = {
                "date": day,
                "public_holiday": parse_flag(row["public_holiday"]),
                "school_holiday": parse_flag(row["school_holiday"]),
                "event": int(bool(row["event"].strip())),
            }
    _log_dropped("calendar", dropped)
    columns = ["date", "public_holiday", "school_holiday", "event"]
    return Table(columns, [kept[day] for day in sorted(kept)])


def clean_weather(raw: Table, cleaning: dict[str, Any]) -> Table:
    """Average the stations' credible readings: one row per day.

    A reading outside the limits is a sensor fault. A day on which no station has a
    credible reading of some kind is left out, and the join fills it.
    """
    readings: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    ignored: Counter[str] = Counter()
    for row in raw:
        day = parse_date(row["date"])
        if day is None:
            ignored["no valid date"] += 1
            continue
        for name in READINGS:
            value = parse_number(row[name])
            lowest, highest = cleaning["weather_limits"][name]
            if value is None:
                ignored[f"{name} missing"] += 1
            elif not lowest <= value <= highest:
                ignored[f"{name} out of limits"] += 1
            else:
                readings[day][name].append(value)
    _log_dropped("weather", ignored)

    rows = [
        {"date": day}
        | {name: round(statistics.fmean(readings[day][name]), 3) for name in READINGS}
        for day in sorted(readings)
        if all(name in readings[day] for name in READINGS)
    ]
    return Table(["date", *READINGS], rows)


def summarise_quality(  # noqa: PLR0913
    raw_bookings: Table,
    bookings: Table,
    raw_calendar: Table,
    calendar: Table,
    raw_weather: Table,
    weather: Table,
) -> list[dict[str, Any]]:
    """Count each table's rows before and after cleaning, for the report."""
    pairs = (
        ("bookings", raw_bookings, bookings),
        ("calendar", raw_calendar, calendar),
        ("weather", raw_weather, weather),
    )
    return [
        {
            "table": name,
            "rows_read": len(raw),
            "rows_kept": len(clean),
            "first_day": min(clean.column("date")),
            "last_day": max(clean.column("date")),
        }
        for name, raw, clean in pairs
    ]


def join_tables(bookings: Table, calendar: Table, weather: Table) -> Table:
    """Add the kind of day and the weather to each booking row.

    A day without weather takes that of the last day before it; at the very start of
    the table, that of the first day there is.
    """
    kind_of_day = {row["date"]: row for row in calendar}
    weather_on = {row["date"]: row for row in weather}
    rows: list[Row] = []
    last_weather = weather.rows[0]
    for booking in bookings:
        day = booking["date"]
        if day not in kind_of_day:
            logger.warning("No calendar row for %s: its bookings are left out", day)
            continue
        last_weather = weather_on.get(day, last_weather)
        rows.append(kind_of_day[day] | last_weather | booking)
    columns = [*bookings.columns, *calendar.columns[1:], *weather.columns[1:]]
    return Table(columns, rows)


def build_features(sailings: Table, features: dict[str, Any]) -> Table:
    """Turn each sailing into numbers that are known before it is booked.

    The strongest is the recent demand: the mean of the same route and weekday over
    the last weeks. Rows without any such history (the first week) are dropped.
    """
    passengers = {(r["date"], r["route"]): r["passengers"] for r in sailings}
    rows: list[Row] = []
    for sailing in sailings:
        day, route = date.fromisoformat(sailing["date"]), sailing["route"]
        weeks_ago = [
            (day - timedelta(weeks=weeks)).isoformat()
            for weeks in range(1, features["history_weeks"] + 1)
        ]
        history = [
            passengers[past, route] for past in weeks_ago if (past, route) in passengers
        ]
        if not history:
            continue
        rows.append(
            {
                "date": sailing["date"],
                "route": route,
                "passengers": sailing["passengers"],
                # The third route is the one for which both of these are 0.
                "is_mar_oys": int(route == ROUTES[0]),
                "is_mar_tel": int(route == ROUTES[1]),
                "day_of_year": day.timetuple().tm_yday,
                "weekday": day.weekday(),
                # Weekend traffic starts on Friday.
                "is_weekend": int(day.weekday() >= 4),
                "public_holiday": sailing["public_holiday"],
                "school_holiday": sailing["school_holiday"],
                "event": sailing["event"],
                "fare_eur": sailing["fare_eur"],
                **{name: sailing[name] for name in READINGS},
                "recent_demand": round(statistics.fmean(history), 3),
            }
        )
    logger.info("%d of %d sailings have a history", len(rows), len(sailings))
    return Table(list(rows[0]), rows)


def _log_dropped(table: str, reasons: Counter[str]) -> None:
    for reason, count in sorted(reasons.items()):
        logger.info("%s: ignored %d times: %s", table, count, reason)
