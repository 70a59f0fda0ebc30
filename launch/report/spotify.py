"""The report's sections about Spotify: accounts, calls, playlists, and how far round the catalogue was asked."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from etl.extract.spotify.accounts import WARNING_DAYS
from launch.report.table import Row, count, print_table, share, table

SECTIONS = ("accounts", "api_calls", "playlists", "refresh_state")
"""Queries of sql/report; those about one refresh take its ``run_id``."""

_STATES = {
    "done": "[green]done[/]",
    "pending_quota": "[yellow]quota used up[/]",
    "must_sign_in": "[red]must sign in again[/]",
    "failed": "[red]failed[/]",
}
_THINGS = {"track": "tracks", "artist": "artists", "audio_features": "audio features of tracks"}


def print_spotify(out: Console, found: dict[str, list[Row]]) -> None:
    """Print the sections; nothing where nothing was ever asked.

    :param found: the rows of each of ``SECTIONS``.
    """
    _print_accounts(out, found["accounts"])
    _print_calls(out, found["api_calls"], found["accounts"])
    _print_playlists(out, found["playlists"])
    _print_round(out, found["refresh_state"])


def _print_accounts(out: Console, rows: list[Row]) -> None:
    filled = table("Spotify accounts", "", "playlists", "changed", "refused", "calls", "calls saved", "sign-in lasts")
    for row in rows:
        is_account = row["account"] is not None
        numbers = [row[name] for name in ("playlists_seen", "playlists_changed", "playlists_refused")]
        filled.add_row(
            escape(row["account"]) if is_account else "[dim]the catalogue[/]",
            _STATES.get(row["state"], escape(row["state"])),
            *[count(number) if is_account else "" for number in numbers],
            count(row["calls"]),
            count(row["calls_saved"]) if is_account else "",
            _lasting(row["days_left"]),
        )
    print_table(out, filled)
    for row in rows:
        _print_news(out, row)


def _print_news(out: Console, row: Row) -> None:
    """What a person should know of a fetch; failures stand at the end of the report."""
    name = escape(row["account"] or "the catalogue")
    if row["state"] == "must_sign_in":
        return
    if row["message"] and row["state"] != "failed":
        out.print(f"[dim]{name}: {escape(row['message'])}[/]")
    if row["account"] and row["days_left"] is not None and row["days_left"] <= WARNING_DAYS:
        out.print(f"[yellow]The sign-in of {name} runs out in {row['days_left']} days:[/] bin/sign-in {name}")


def _lasting(days: int | None) -> str:
    if days is None:
        return ""
    return f"[yellow]{days} days[/]" if days <= WARNING_DAYS else f"{days} days"


def _print_calls(out: Console, rows: list[Row], fetches: list[Row]) -> None:
    modes = sorted({row["mode"] for row in fetches if row["mode"]})
    mode = {"development": "development mode", "extended": "extended quota"}.get(modes[0], modes[0]) if modes else ""
    filled = table("Calls of Spotify's API", "calls", "")
    for row in rows:
        filled.add_row(escape(row["endpoint"]), count(row["calls"]), "")
    if len(rows) > 1:
        filled.add_row("[bold]all[/]", f"[bold]{count(sum(row['calls'] for row in rows))}[/]", f"[dim]{mode}[/]")
    print_table(out, filled)


def _print_playlists(out: Console, rows: list[Row]) -> None:
    filled = table("Playlists from Spotify", "tracks", "with audio features", "match rate")
    for row in rows:
        cells = [count(row["tracks"]), count(row["measured"]), share(row["measured"], row["tracks"])]
        if row["is_total"]:
            filled.add_row(f"[bold]all {count(row['playlists'])}[/] [dim]each track once[/]", *cells)
        else:
            filled.add_row(escape(_short(row["name"])), *cells)
    print_table(out, filled)


def _print_round(out: Console, rows: list[Row]) -> None:
    filled = table("How far round the catalogue was asked", "known", "asked ever", "", "longest ago")
    for row in rows:
        if row["asked"]:
            cells: list[Any] = [count(row["known"]), count(row["asked"]), share(row["asked"], row["known"])]
            filled.add_row(_THINGS.get(row["kind"], escape(row["kind"])), *cells, _day(row["oldest"]))
    print_table(out, filled)


def _short(name: str | None) -> str:
    if not name:
        return "(without a name)"
    return name if len(name) <= 44 else f"{name[:43]}…"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
