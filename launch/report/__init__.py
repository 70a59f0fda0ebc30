"""The report at the end of a start: what is in the warehouse now, what this start did, and where to go on.

spotify   accounts, calls, playlists, how far round the catalogue was asked
events    listening: events by source, plays told twice or missing, the marts
table     how tables look
"""

from datetime import date
from typing import Any

from rich.console import Console
from rich.markup import escape
from sqlalchemy import Connection

from etl import warehouse
from etl.config import CHECKOUT
from launch.console import Screen
from launch.dag_runs import RunResult, name_of
from launch.environment import api_url, dashboard_url
from launch.report.events import SECTIONS as EVENT_SECTIONS
from launch.report.events import print_events
from launch.report.spotify import SECTIONS as SPOTIFY_SECTIONS
from launch.report.spotify import print_spotify
from launch.report.table import Row, count, print_table, share, table

_BAR_WIDTH = 28
_COUNTS = ("rows_in", "rows_loaded", "rows_duplicate", "rows_rejected")
_ANSWERS = "spotify_answers"
_SECTIONS = (
    "rows_by_table",
    "tracks",
    "feature_sources",
    "inputs",
    "remarks",
    "rejected_rows",
    "matches",
    "clusters",
    "newness",
    *EVENT_SECTIONS,
)


def print_report(
    screen: Screen,
    warehouse_url: str,
    results: list[RunResult],
    written: dict[str, int],
    login: tuple[str, str],
    answering: str | None,
    is_staying: bool,
) -> None:
    """Print the report.

    :param results: the import, the refresh, and what came after them, in this order.
    :param written: rows written by this start, by table.
    :param login: user name and password of the web interface.
    :param answering: a sentence about who answers in Spotify's place, or why nobody does.
    :param is_staying: whether the web interface stays up.
    """
    with warehouse.connect(warehouse_url) as connection:
        found = {name: warehouse.rows(connection, _statement(name)) for name in _SECTIONS}
        found |= _about_spotify(connection, results[1])
        run_ids = [result.audit_id for result in results]
        audited = {row["run_id"]: row for row in warehouse.rows(connection, _statement("runs"), run_ids=run_ids)}
    out = screen.console
    out.print()
    _print_outcome(out, results, audited)
    tracks = found["tracks"][0]
    _print_made_up(out, tracks, found["inputs"])
    if answering:
        out.print(f"[yellow]{escape(answering)}[/]")
    _print_tables(out, found["rows_by_table"], written)
    _print_tracks(out, tracks, found["newness"], found["feature_sources"])
    _print_inputs(out, found["inputs"])
    _print_remarks(out, found["remarks"])
    _print_reasons(out, found["rejected_rows"])
    _print_matches(out, found["matches"], found["inputs"])
    print_spotify(out, found)
    print_events(out, found)
    _print_clusters(out, found["clusters"])
    _print_times(screen, results)
    _print_failures(out, results, audited)
    _print_next(out, login, is_staying)


def _about_spotify(connection: Connection, refresh: RunResult) -> dict[str, list[Row]]:
    run_id = refresh.audit_id
    texts = {name: _statement(name) for name in SPOTIFY_SECTIONS}
    return {
        name: warehouse.rows(connection, text, **({"run_id": run_id} if ":run_id" in text else {}))
        for name, text in texts.items()
    }


def _statement(name: str) -> str:
    return (CHECKOUT / "sql" / "report" / f"{name}.sql").read_text(encoding="utf-8")


def _print_outcome(out: Console, results: list[RunResult], audited: dict[Any, Row]) -> None:
    imported, refresh = results[:2]
    if not refresh.is_good() and audited.get(refresh.audit_id, {}).get("result") == "published":
        out.rule("[bold red]The refresh is published, but its run has failed")
    elif not refresh.is_good():
        out.rule("[bold red]The refresh was not published: readers see the state before it")
    elif not refresh.has_skipped("load_catalogue"):
        out.rule("[bold green]The refresh is published")
    elif not imported.is_good() and not imported.has_done("import_file"):
        out.rule("[bold red]Nothing was imported: the warehouse is as it was")
    else:
        out.rule("[bold green]Nothing new: the warehouse already held what was imported")


def _print_made_up(out: Console, tracks: Row, inputs: list[Row]) -> None:
    files = [row["source"] for row in inputs if row["source"] != _ANSWERS]
    if files and all(source.startswith("made_up") for source in files):
        out.print("[yellow]This catalogue is made up:[/] KAGGLE_PATH named no files when it was imported.")
    elif tracks["made_up"]:
        out.print(f"[yellow]{count(tracks['made_up'])} tracks are made up,[/] by a start without KAGGLE_PATH.")


def _print_failures(out: Console, results: list[RunResult], audited: dict[Any, Row]) -> None:
    """Below all tables, where a terminal shows it."""
    if all(result.is_good() and not result.failures for result in results):
        return
    out.print()
    if not results[1].is_good():
        _print_outcome(out, results, audited)
        out.print("Listeners are made up after a refresh that is published.")
    for result in results:
        for task, reason in result.failures:
            out.print(f"[red]✗[/] {escape(task)}: {escape(reason)}")
        if not result.is_good():
            message = audited.get(result.audit_id, {}).get("message") or "Its tasks in Airflow say why."
            out.print(f"[red]✗[/] {result.dag_id} has failed. {escape(message)}")


def _print_tables(out: Console, rows: list[Row], written: dict[str, int]) -> None:
    filled = table("Rows by table", "now", "written by this start")
    for row in rows:
        new = written.get(row["table_name"], 0)
        filled.add_row(row["table_name"], count(row["rows"]), count(new) if new else "[dim]–[/]")
    print_table(out, filled)


def _print_tracks(out: Console, row: Row, bounds: list[Row], sources: list[Row]) -> None:
    filled = table("Tracks and recordings", "", "")
    filled.add_row("tracks (ids)", count(row["tracks"]), "")
    if row["added"] is not None:
        filled.add_row("  new in the last refresh", count(row["added"]), "")
    filled.add_row("recordings", count(row["recordings"]), "[dim]ids of one recording count once[/]")
    filled.add_row("without an id of Spotify's", count(row["made_ids"]), "[dim]known by a made id[/]")
    filled.add_row("with audio features", count(row["measured"]), share(row["measured"], row["tracks"]))
    for one in sources:
        filled.add_row(f"  [dim]from {one['source']}[/]", count(one["tracks"]), share(one["tracks"], row["tracks"]))
    filled.add_row("with a release date", count(row["dated"]), share(row["dated"], row["tracks"]))
    if row["newness_lowest"] is not None and bounds:
        span = f"{_month(bounds[0]['oldest'])} = 0, {_month(bounds[0]['newest'])} = 1"
        scores = f"{row['newness_lowest']:.2f} – {row['newness_highest']:.2f}"
        filled.add_row("newness score", scores, f"[dim]{span}[/]")
    print_table(out, filled)


def _print_inputs(out: Console, rows: list[Row]) -> None:
    filled = table("Rows of the inputs", *(name.removeprefix("rows_") for name in _COUNTS))
    answers = [row for row in rows if row["source"] == _ANSWERS]
    for row in rows:
        if row["source"] != _ANSWERS:
            filled.add_row(f"{escape(row['name'])} [dim]{row['source']}[/]", *[count(row[name]) for name in _COUNTS])
    if answers:
        sums = [count(sum(row[name] for row in answers)) for name in _COUNTS]
        filled.add_row(f"Spotify's answers [dim]{count(len(answers))} fetches of all nights[/]", *sums)
    print_table(out, filled)


def _print_remarks(out: Console, rows: list[Row]) -> None:
    for row in rows:
        out.print(f"[yellow]{escape(row['name'])}:[/] {escape(row['sentence'])}")


def _print_reasons(out: Console, rows: list[Row]) -> None:
    filled = table("Rejected, by reason", "rows")
    for row in rows:
        filled.add_row(escape(row["reason"]), count(row["rows"]))
    print_table(out, filled)


def _print_matches(out: Console, rows: list[Row], inputs: list[Row]) -> None:
    filled = table("Recognised as already known", "ids or rows", "of the source's rows", "mean score")
    for row in rows:
        source = _ANSWERS if row["source"] in ("api", "mock_api") else row["source"]
        rows_in = sum(found["rows_in"] for found in inputs if found["source"].startswith(source))
        cells = [count(row["matches"]), share(row["matches"], rows_in), f"{row['score']:.3f}"]
        filled.add_row(f"{row['source']} [dim]{escape(row['method'])}[/]", *cells)
    print_table(out, filled)


def _print_clusters(out: Console, rows: list[Row]) -> None:
    filled = table("Audio clusters", "recordings", "")
    largest = max((row["size"] for row in rows), default=0)
    for row in rows:
        bar = "█" * round(_BAR_WIDTH * row["size"] / largest) if largest else ""
        filled.add_row(
            f"[dim]{row['audio_features_type']}[/] {escape(row['name'])}",
            count(row["size"]),
            f"[cyan]{bar:<{_BAR_WIDTH}}[/]",
        )
    print_table(out, filled)


def _print_times(screen: Screen, results: list[RunResult]) -> None:
    filled = table("What took how long", "seconds")
    runs = {result.dag_id: result for result in results}
    for text, seconds in screen.seconds.items():
        filled.add_row(escape(text), f"{seconds:.1f}")
        for task in runs[text].tasks if text in runs else []:
            if task.duration_s is not None:
                filled.add_row(f"  [dim]{escape(name_of(task))}[/]", f"[dim]{task.duration_s:.1f}[/]")
    print_table(screen.console, filled)


def _print_next(out: Console, login: tuple[str, str], is_staying: bool) -> None:
    user, password = login
    out.print()
    if is_staying:
        out.print(f"Web interface  [bold]{api_url()}[/]  user [bold]{user}[/]  password [bold]{escape(password)}[/]")
        out.print(f"Dashboard      [bold]{dashboard_url()}[/]  a login: [bold]bin/add-login operator NAME[/]")
    out.print("SQL            [bold]bin/psql[/], for example")
    out.print("               [bold]bin/psql -f sql/example/audio_clusters.sql[/]")


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
