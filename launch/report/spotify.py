"""The report's sections about Spotify: accounts, calls, playlists, and the progress through the catalogue."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from etl.extract.spotify.account_store import WARNING_DAYS
from launch.report.table import Row, format_count, format_percentage, make_table, print_table

SECTIONS = ("accounts", "api_calls", "playlists", "refresh_state")
"""Queries of sql/queries/report; those about a single refresh take its ``run_id``."""

_STATE_LABELS = {
    "done": "[green]done[/]",
    "pending_quota": "[yellow]quota used up[/]",
    "must_sign_in": "[red]must sign in again[/]",
    "failed": "[red]failed[/]",
}
_PART_LABELS = {
    "catalogue": "the catalogue",
    "reccobeats": "ReccoBeats",
    "mock_reccobeats": "ReccoBeats (mock server)",
}
_RESOURCE_LABELS = {"track": "tracks", "artist": "artists", "audio_features": "audio features of tracks"}


def print_spotify(out: Console, rows_by_section: dict[str, list[Row]]) -> None:
    """Print the sections that have rows.

    :param rows_by_section: the rows of each of ``SECTIONS``.
    """
    _print_accounts(out, rows_by_section["accounts"])
    _print_calls(out, rows_by_section["api_calls"], rows_by_section["accounts"])
    _print_playlists(out, rows_by_section["playlists"])
    _print_refresh_progress(out, rows_by_section["refresh_state"])


def _print_accounts(out: Console, rows: list[Row]) -> None:
    grid = make_table(
        "Spotify accounts", "", "playlists", "changed", "rejected", "calls", "calls saved", "sign-in valid for"
    )
    for row in rows:
        is_account = row["account"] is not None
        numbers = [row[name] for name in ("playlists_seen", "playlists_changed", "playlists_rejected")]
        grid.add_row(
            escape(row["account"]) if is_account else f"[dim]{_label_part(row)}[/]",
            _STATE_LABELS.get(row["state"], escape(row["state"])),
            *[format_count(number) if is_account else "" for number in numbers],
            format_count(row["calls"]),
            format_count(row["calls_saved"]) if is_account else "",
            _format_days_left(row["days_left"]),
        )
    print_table(out, grid)
    for row in rows:
        _print_account_message(out, row)


def _print_account_message(out: Console, row: Row) -> None:
    """Print a fetch's message or a sign-in that ends soon; failures are at the end of the report."""
    name = escape(row["account"] or _label_part(row))
    if row["state"] == "must_sign_in":
        return
    if row["message"] and row["state"] != "failed":
        out.print(f"[dim]{name}: {escape(row['message'])}[/]")
    if row["account"] and row["days_left"] is not None and row["days_left"] <= WARNING_DAYS:
        out.print(f"[yellow]The sign-in of {name} expires in {row['days_left']} days:[/] bin/sign-in {name}")


def _label_part(row: Row) -> str:
    """Return the name of a fetch without an account."""
    return _PART_LABELS.get(str(row["part"]), str(row["part"]))


def _format_days_left(days: int | None) -> str:
    if days is None:
        return ""
    return f"[yellow]{days} days[/]" if days <= WARNING_DAYS else f"{days} days"


def _print_calls(out: Console, rows: list[Row], fetches: list[Row]) -> None:
    modes = sorted({row["mode"] for row in fetches if row["mode"]})
    mode = {"development": "development mode", "extended": "extended quota"}.get(modes[0], modes[0]) if modes else ""
    grid = make_table("Calls of the Spotify API", "calls", "")
    for row in rows:
        grid.add_row(escape(row["endpoint"]), format_count(row["calls"]), "")
    if len(rows) > 1:
        grid.add_row("[bold]all[/]", f"[bold]{format_count(sum(row['calls'] for row in rows))}[/]", f"[dim]{mode}[/]")
    print_table(out, grid)


def _print_playlists(out: Console, rows: list[Row]) -> None:
    grid = make_table("Playlists from Spotify", "tracks", "with audio features", "match rate")
    for row in rows:
        cells = [
            format_count(row["tracks"]),
            format_count(row["measured"]),
            format_percentage(row["measured"], row["tracks"]),
        ]
        if row["is_total"]:
            grid.add_row(f"[bold]all {format_count(row['playlists'])}[/] [dim]distinct tracks[/]", *cells)
        else:
            grid.add_row(escape(_truncate_name(row["name"])), *cells)
    print_table(out, grid)


def _print_refresh_progress(out: Console, rows: list[Row]) -> None:
    grid = make_table("Refreshed from Spotify", "in the catalogue", "ever requested", "", "oldest request")
    for row in rows:
        if row["asked"]:
            cells: list[Any] = [
                format_count(row["known"]),
                format_count(row["asked"]),
                format_percentage(row["asked"], row["known"]),
            ]
            grid.add_row(_RESOURCE_LABELS.get(row["kind"], escape(row["kind"])), *cells, _format_day(row["oldest"]))
    print_table(out, grid)


def _truncate_name(name: str | None) -> str:
    if not name:
        return "(without a name)"
    return name if len(name) <= 44 else f"{name[:43]}…"


def _format_day(timestamp: datetime | None) -> str:
    return f"{timestamp:%Y-%m-%d}" if timestamp else ""
