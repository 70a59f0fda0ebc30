"""The report's sections about listening: events by source, plays told twice, plays that may be missing, the marts."""

from rich.console import Console
from rich.markup import escape

from launch.report.table import Row, count, print_table, share, table

SECTIONS = ("events", "event_matches", "gaps", "marts")
"""Queries of sql/report."""


def print_events(out: Console, found: dict[str, list[Row]]) -> None:
    """Print the sections; nothing where there is no event.

    :param found: the rows of each of ``SECTIONS``.
    """
    filled = table("Listening events", "events", "plays", "skipped", "late", "users", "hours", "first", "last")
    for row in found["events"]:
        filled.add_row(
            row["source"],
            *(count(row[name]) for name in ("events", "plays")),
            share(row["skips"], row["plays"]),
            count(int(row["late"])),
            count(row["users"]),
            count(int(row["hours"])),
            *(f"{row[name]:%Y-%m-%d %H:%M}" for name in ("first_time", "last_time")),
        )
    print_table(out, filled)
    matched = table("Plays reported twice", "plays")
    for row in found["event_matches"]:
        kept = row["kept_source"] if row["kept_source"] != row["dropped_source"] else "another record of the same play"
        matched.add_row(f"{row['dropped_source']} [dim]dropped for {kept}[/]", count(row["plays"]))
    print_table(out, matched)
    missing = table("Plays that may be missing", "gaps", "still open", "hours")
    for row in found["gaps"]:
        hours = count(round(row["open_hours"])) if row["open_gaps"] else ""
        missing.add_row(escape(row["user_id"]), count(row["gaps"]), count(row["open_gaps"]), hours)
    print_table(out, missing)
    built = table("Marts", "rows")
    for row in found["marts"]:
        built.add_row("[dim]built[/]", f"{row['built_at']:%Y-%m-%d %H:%M}" if row["built_at"] else "–")
        for name in ("user_years", "charts", "artists", "sessions", "engagement_rows", "days_waiting"):
            built.add_row(name.replace("_", " "), count(row[name]))
    print_table(out, built)
