"""The report at the end of a start: the content of the warehouse, the actions of the start, and the next steps."""

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
from launch.report.table import Row, format_count, make_table, print_table
from launch.report.tables import (
    RESPONSE_LABELS,
    print_clusters,
    print_feature_providers,
    print_inputs,
    print_matches,
    print_reasons,
    print_remarks,
    print_tables,
    print_tracks,
)

_SECTIONS = (
    "rows_by_table",
    "tracks",
    "feature_sources",
    "feature_providers",
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

    :param results: of the import, of the refresh, and of later runs, in this order.
    :param written_rows: rows written by this start, by table.
    :param login: user name and password of the web interface.
    :param api_message: a notice that a mock API or no account was read; None if Spotify was.
    :param is_staying_up: whether the web interface stays up.
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
    print_tables(out, rows_by_section["rows_by_table"], written_rows)
    print_tracks(out, tracks, rows_by_section["newness"], rows_by_section["feature_sources"])
    print_feature_providers(out, rows_by_section["feature_providers"])
    print_inputs(out, rows_by_section["inputs"])
    print_remarks(out, rows_by_section["remarks"])
    print_reasons(out, rows_by_section["rejected_rows"])
    print_matches(out, rows_by_section["matches"], rows_by_section["inputs"])
    print_spotify(out, rows_by_section)
    print_events(out, rows_by_section)
    print_clusters(out, rows_by_section["clusters"])
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
        out.rule("[bold red]Nothing was imported: the warehouse is unchanged")
    else:
        out.rule("[bold green]Nothing new: the warehouse already has all inputs")


def _print_synthetic_notice(out: Console, tracks: Row, inputs: list[Row]) -> None:
    files = [row["source"] for row in inputs if row["source"] not in RESPONSE_LABELS]
    if files and all(source.startswith("made_up") for source in files):
        out.print("[yellow]This catalogue is synthetic:[/] KAGGLE_PATH was not set when it was imported.")
    elif tracks["made_up"]:
        out.print(
            f"[yellow]{format_count(tracks['made_up'])} tracks are synthetic,[/] from a start without KAGGLE_PATH."
        )


def _print_failures(out: Console, results: list[RunResult], audit_rows: dict[Any, Row]) -> None:
    """Print failures below all tables, where they stay visible on a terminal."""
    if all(result.is_successful() and not result.failures for result in results):
        return
    out.print()
    if not results[1].is_successful():
        _print_outcome(out, results, audit_rows)
        out.print("Listeners are simulated only after a published refresh.")
    for result in results:
        for task, reason in result.failures:
            out.print(f"[red]✗[/] {escape(task)}: {escape(reason)}")
        if not result.is_successful():
            message = audit_rows.get(result.audit_id, {}).get("message") or "See its tasks in Airflow."
            out.print(f"[red]✗[/] {result.dag_id} has failed. {escape(message)}")


def _print_times(screen: Screen, results: list[RunResult]) -> None:
    grid = make_table("Duration", "seconds")
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
        out.print(f"Dashboard      [bold]{get_dashboard_url()}[/]  add a login: [bold]bin/add-login operator NAME[/]")
    out.print("SQL            [bold]bin/psql[/], for example")
    out.print("               [bold]bin/psql -f sql/queries/example/audio_clusters.sql[/]")
