"""The report's sections about events: events by source, duplicate plays, plays that may be missing, and the marts."""

from rich.console import Console
from rich.markup import escape

from launch.report.table import Row, format_count, format_percentage, make_table, print_table

SECTIONS = ("events", "event_matches", "gaps", "marts")
"""Queries of sql/queries/report."""


def print_events(out: Console, rows_by_section: dict[str, list[Row]]) -> None:
    """Print the sections that have rows.

    :param rows_by_section: the rows of each of ``SECTIONS``.
    """
    event_grid = make_table("Listening events", "events", "plays", "skipped", "late", "users", "hours", "first", "last")
    for row in rows_by_section["events"]:
        event_grid.add_row(
            row["source"],
            *(format_count(row[name]) for name in ("events", "plays")),
            format_percentage(row["skips"], row["plays"]),
            format_count(int(row["late"])),
            format_count(row["users"]),
            format_count(int(row["hours"])),
            *(f"{row[name]:%Y-%m-%d %H:%M}" for name in ("first_time", "last_time")),
        )
    print_table(out, event_grid)
    match_grid = make_table("Plays reported by several sources", "plays")
    for row in rows_by_section["event_matches"]:
        winner = (
            row["kept_source"] if row["kept_source"] != row["dropped_source"] else "another record of the same play"
        )
        match_grid.add_row(f"{row['dropped_source']} [dim]dropped for {winner}[/]", format_count(row["plays"]))
    print_table(out, match_grid)
    gap_grid = make_table("Plays that may be missing", "gaps", "still open", "hours")
    for row in rows_by_section["gaps"]:
        hours = format_count(round(row["open_hours"])) if row["open_gaps"] else ""
        gap_grid.add_row(escape(row["user_id"]), format_count(row["gaps"]), format_count(row["open_gaps"]), hours)
    print_table(out, gap_grid)
    mart_grid = make_table("Marts", "rows")
    for row in rows_by_section["marts"]:
        mart_grid.add_row("[dim]built[/]", f"{row['built_at']:%Y-%m-%d %H:%M}" if row["built_at"] else "–")
        for name in ("user_years", "charts", "artists", "sessions", "engagement_rows", "days_waiting"):
            mart_grid.add_row(name.replace("_", " "), format_count(row[name]))
    print_table(out, mart_grid)
