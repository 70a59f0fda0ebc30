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

from etl import database
from launch.console import Screen
from launch.dag_runs import RunResult, format_task_name
from launch.environment import get_api_url, get_dashboard_url
from launch.report.events import SECTIONS as EVENT_SECTIONS
from launch.report.events import print_events
from launch.report.spotify import SECTIONS as SPOTIFY_SECTIONS
from launch.report.spotify import print_spotify
from launch.report.table import Row, format_count, format_percentage, make_table, print_table

_BAR_WIDTH = 28
_COUNTS = ("rows_in", "rows_loaded", "rows_duplicate", "rows_rejected")
_RESPONSE_INPUTS = "spotify_answers"
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
    written_rows: dict[str, int],
    login: tuple[str, str],
    api_message: str | None,
    is_staying_up: bool,
) -> None:
    """Print the report.

    :param results: the import, the refresh, and what came after them, in this order.
    :param written: rows written by this start, by table.
    :param login: user name and password of the web interface.
    :param answering: a sentence about who answers in Spotify's place, or why nobody does.
    :param is_staying: whether the web interface stays up.
    """
    with database.connect(warehouse_url) as connection:
        rows_by_section = {name: database.fetch_rows(connection, _read_statement(name)) for name in _SECTIONS}
        rows_by_section |= _fetch_spotify_sections(connection, results[1])
        run_ids = [result.audit_id for result in results]
        audit_rows = {
            row["run_id"]: row for row in database.fetch_rows(connection, _read_statement("runs"), run_ids=run_ids)
        }
    out = screen.console
    out.print()
    _print_outcome(out, results, audit_rows)
    tracks = rows_by_section["tracks"][0]
    _print_synthetic_notice(out, tracks, rows_by_section["inputs"])
    if api_message:
        out.print(f"[yellow]{escape(api_message)}[/]")
    _print_tables(out, rows_by_section["rows_by_table"], written_rows)
    _print_tracks(out, tracks, rows_by_section["newness"], rows_by_section["feature_sources"])
    _print_inputs(out, rows_by_section["inputs"])
    _print_remarks(out, rows_by_section["remarks"])
    _print_reasons(out, rows_by_section["rejected_rows"])
    _print_matches(out, rows_by_section["matches"], rows_by_section["inputs"])
    print_spotify(out, rows_by_section)
    print_events(out, rows_by_section)
    _print_clusters(out, rows_by_section["clusters"])
    _print_times(screen, results)
    _print_failures(out, results, audit_rows)
    _print_next_steps(out, login, is_staying_up)


def _fetch_spotify_sections(connection: Connection, refresh: RunResult) -> dict[str, list[Row]]:
    run_id = refresh.audit_id
    statements = {name: _read_statement(name) for name in SPOTIFY_SECTIONS}
    return {
        name: database.fetch_rows(connection, text, **({"run_id": run_id} if ":run_id" in text else {}))
        for name, text in statements.items()
    }


def _read_statement(name: str) -> str:
    return database.read_sql(f"queries/report/{name}")


def _print_outcome(out: Console, results: list[RunResult], audit_rows: dict[Any, Row]) -> None:
    import_result, refresh = results[:2]
    if not refresh.is_successful() and audit_rows.get(refresh.audit_id, {}).get("result") == "published":
        out.rule("[bold red]The refresh is published, but its run has failed")
    elif not refresh.is_successful():
        out.rule("[bold red]The refresh was not published: readers see the state before it")
    elif not refresh.has_skipped("load_catalogue"):
        out.rule("[bold green]The refresh is published")
    elif not import_result.is_successful() and not import_result.has_succeeded("import_file"):
        out.rule("[bold red]Nothing was imported: the warehouse is as it was")
    else:
        out.rule("[bold green]Nothing new: the warehouse already held what was imported")


def _print_synthetic_notice(out: Console, tracks: Row, inputs: list[Row]) -> None:
    files = [row["source"] for row in inputs if row["source"] != _RESPONSE_INPUTS]
    if files and all(source.startswith("made_up") for source in files):
        out.print("[yellow]This catalogue is made up:[/] KAGGLE_PATH named no files when it was imported.")
    elif tracks["made_up"]:
        out.print(f"[yellow]{format_count(tracks['made_up'])} tracks are made up,[/] by a start without KAGGLE_PATH.")


def _print_failures(out: Console, results: list[RunResult], audit_rows: dict[Any, Row]) -> None:
    """Below all tables, where a terminal shows it."""
    if all(result.is_successful() and not result.failures for result in results):
        return
    out.print()
    if not results[1].is_successful():
        _print_outcome(out, results, audit_rows)
        out.print("Listeners are made up after a refresh that is published.")
    for result in results:
        for task, reason in result.failures:
            out.print(f"[red]✗[/] {escape(task)}: {escape(reason)}")
        if not result.is_successful():
            message = audit_rows.get(result.audit_id, {}).get("message") or "Its tasks in Airflow say why."
            out.print(f"[red]✗[/] {result.dag_id} has failed. {escape(message)}")


def _print_tables(out: Console, rows: list[Row], written_rows: dict[str, int]) -> None:
    grid = make_table("Rows by table", "now", "written by this start")
    for row in rows:
        new_rows = written_rows.get(row["table_name"], 0)
        grid.add_row(row["table_name"], format_count(row["rows"]), format_count(new_rows) if new_rows else "[dim]–[/]")
    print_table(out, grid)


def _print_tracks(out: Console, row: Row, bounds: list[Row], sources: list[Row]) -> None:
    grid = make_table("Tracks and recordings", "", "")
    grid.add_row("tracks (ids)", format_count(row["tracks"]), "")
    if row["added"] is not None:
        grid.add_row("  new in the last refresh", format_count(row["added"]), "")
    grid.add_row("recordings", format_count(row["recordings"]), "[dim]ids of one recording count once[/]")
    grid.add_row("without an id of Spotify's", format_count(row["made_ids"]), "[dim]known by a made id[/]")
    grid.add_row(
        "with audio features", format_count(row["measured"]), format_percentage(row["measured"], row["tracks"])
    )
    for source_row in sources:
        grid.add_row(
            f"  [dim]from {source_row['source']}[/]",
            format_count(source_row["tracks"]),
            format_percentage(source_row["tracks"], row["tracks"]),
        )
    grid.add_row("with a release date", format_count(row["dated"]), format_percentage(row["dated"], row["tracks"]))
    if row["newness_lowest"] is not None and bounds:
        span = f"{_format_month(bounds[0]['oldest'])} = 0, {_format_month(bounds[0]['newest'])} = 1"
        scores = f"{row['newness_lowest']:.2f} – {row['newness_highest']:.2f}"
        grid.add_row("newness score", scores, f"[dim]{span}[/]")
    print_table(out, grid)


def _print_inputs(out: Console, rows: list[Row]) -> None:
    grid = make_table("Rows of the inputs", *(name.removeprefix("rows_") for name in _COUNTS))
    response_rows = [row for row in rows if row["source"] == _RESPONSE_INPUTS]
    for row in rows:
        if row["source"] != _RESPONSE_INPUTS:
            grid.add_row(
                f"{escape(row['name'])} [dim]{row['source']}[/]", *[format_count(row[name]) for name in _COUNTS]
            )
    if response_rows:
        sums = [format_count(sum(row[name] for row in response_rows)) for name in _COUNTS]
        grid.add_row(f"Spotify's answers [dim]{format_count(len(response_rows))} fetches of all nights[/]", *sums)
    print_table(out, grid)


def _print_remarks(out: Console, rows: list[Row]) -> None:
    for row in rows:
        out.print(f"[yellow]{escape(row['name'])}:[/] {escape(row['sentence'])}")


def _print_reasons(out: Console, rows: list[Row]) -> None:
    grid = make_table("Rejected, by reason", "rows")
    for row in rows:
        grid.add_row(escape(row["reason"]), format_count(row["rows"]))
    print_table(out, grid)


def _print_matches(out: Console, rows: list[Row], inputs: list[Row]) -> None:
    grid = make_table("Recognised as already known", "ids or rows", "of the source's rows", "mean score")
    for row in rows:
        source = _RESPONSE_INPUTS if row["source"] in ("api", "mock_api") else row["source"]
        rows_in = sum(found["rows_in"] for found in inputs if found["source"].startswith(source))
        cells = [format_count(row["matches"]), format_percentage(row["matches"], rows_in), f"{row['score']:.3f}"]
        grid.add_row(f"{row['source']} [dim]{escape(row['method'])}[/]", *cells)
    print_table(out, grid)


def _print_clusters(out: Console, rows: list[Row]) -> None:
    grid = make_table("Audio clusters", "recordings", "")
    largest = max((row["size"] for row in rows), default=0)
    for row in rows:
        bar = "█" * round(_BAR_WIDTH * row["size"] / largest) if largest else ""
        grid.add_row(
            f"[dim]{row['audio_features_type']}[/] {escape(row['name'])}",
            format_count(row["size"]),
            f"[cyan]{bar:<{_BAR_WIDTH}}[/]",
        )
    print_table(out, grid)


def _print_times(screen: Screen, results: list[RunResult]) -> None:
    grid = make_table("What took how long", "seconds")
    runs = {result.dag_id: result for result in results}
    for text, seconds in screen.seconds.items():
        grid.add_row(escape(text), f"{seconds:.1f}")
        for task in runs[text].tasks if text in runs else []:
            if task.duration_s is not None:
                grid.add_row(f"  [dim]{escape(format_task_name(task))}[/]", f"[dim]{task.duration_s:.1f}[/]")
    print_table(screen.console, grid)


def _print_next_steps(out: Console, login: tuple[str, str], is_staying_up: bool) -> None:
    user, password = login
    out.print()
    if is_staying_up:
        out.print(
            f"Web interface  [bold]{get_api_url()}[/]  user [bold]{user}[/]  password [bold]{escape(password)}[/]"
        )
        out.print(f"Dashboard      [bold]{get_dashboard_url()}[/]  a login: [bold]bin/add-login operator NAME[/]")
    out.print("SQL            [bold]bin/psql[/], for example")
    out.print("               [bold]bin/psql -f sql/queries/example/audio_clusters.sql[/]")


def _format_month(day: date) -> str:
    return f"{day:%Y-%m}"
