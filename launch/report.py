"""The report at the end of a start: what is in the warehouse now, what this start did, and where to go on."""

from datetime import date
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from etl import warehouse
from etl.config import CHECKOUT
from launch.console import Screen
from launch.dag_runs import RunResult, name_of
from launch.environment import api_url

Row = dict[str, Any]
_BAR_WIDTH = 28
_SECTIONS = ("rows_by_table", "tracks", "inputs", "rejected_rows", "matches", "clusters", "newness")


def print_report(
    screen: Screen,
    warehouse_url: str,
    results: list[RunResult],
    written: dict[str, int],
    login: tuple[str, str],
    is_staying: bool,
) -> None:
    """Print the report.

    :param results: the import and the refresh, in this order.
    :param written: rows written by this start, by table.
    :param login: user name and password of the web interface.
    :param is_staying: whether the web interface stays up.
    """
    with warehouse.connect(warehouse_url) as connection:
        found = {name: warehouse.rows(connection, _statement(name)) for name in _SECTIONS}
    out = screen.console
    out.print()
    _print_outcome(out, results[-1])
    tracks = found["tracks"][0]
    _print_made_up(out, tracks)
    _print_failures(out, results)
    _print_tables(out, found["rows_by_table"], written)
    _print_tracks(out, tracks, found["newness"])
    _print_inputs(out, found["inputs"])
    _print_reasons(out, found["rejected_rows"])
    _print_matches(out, found["matches"], found["inputs"])
    _print_clusters(out, found["clusters"])
    _print_times(screen, results)
    _print_next(out, login, is_staying)


def _statement(name: str) -> str:
    return (CHECKOUT / "sql" / "report" / f"{name}.sql").read_text(encoding="utf-8")


def _print_outcome(out: Console, refresh: RunResult) -> None:
    states = {task.task_id: task.state for task in refresh.tasks}
    if not refresh.is_good():
        out.rule("[bold red]The refresh was not published: readers see the state before it")
    elif states.get("load_catalogue") == "skipped":
        out.rule("[bold green]Nothing new: the warehouse already held what was imported")
    else:
        out.rule("[bold green]The refresh is published")


def _print_made_up(out: Console, tracks: Row) -> None:
    if tracks["made_up"] and tracks["made_up"] == tracks["tracks"]:
        out.print("[yellow]This catalogue is made up:[/] KAGGLE_PATH named no files when it was imported.")
    elif tracks["made_up"]:
        out.print(f"[yellow]{_count(tracks['made_up'])} tracks are made up,[/] by a start without KAGGLE_PATH.")


def _print_failures(out: Console, results: list[RunResult]) -> None:
    for result in results:
        for task, reason in result.failures:
            out.print(f"[red]✗[/] {escape(task)}: {escape(reason)}")


def _print_tables(out: Console, rows: list[Row], written: dict[str, int]) -> None:
    table = _table("Rows by table", "now", "written by this start")
    for row in rows:
        new = written.get(row["table_name"], 0)
        table.add_row(row["table_name"], _count(row["rows"]), _count(new) if new else "[dim]–[/]")
    _print(out, table)


def _print_tracks(out: Console, row: Row, bounds: list[Row]) -> None:
    table = _table("Tracks and recordings", "", "")
    table.add_row("tracks (ids)", _count(row["tracks"]), "")
    table.add_row("recordings", _count(row["recordings"]), "[dim]ids of one recording count once[/]")
    table.add_row("without an id of Spotify's", _count(row["made_ids"]), "[dim]known by a made id[/]")
    table.add_row("with audio features", _count(row["measured"]), _share(row["measured"], row["tracks"]))
    table.add_row("with a release date", _count(row["dated"]), _share(row["dated"], row["tracks"]))
    if row["newness_lowest"] is not None and bounds:
        span = f"{_month(bounds[0]['oldest'])} = 0, {_month(bounds[0]['newest'])} = 1"
        table.add_row("newness score", f"{row['newness_lowest']:.2f} – {row['newness_highest']:.2f}", f"[dim]{span}[/]")
    _print(out, table)


def _print_inputs(out: Console, rows: list[Row]) -> None:
    table = _table("Rows of the files", "in", "loaded", "duplicate", "rejected")
    for row in rows:
        counts = [row[name] for name in ("rows_in", "rows_loaded", "rows_duplicate", "rows_rejected")]
        table.add_row(f"{escape(row['name'])} [dim]{row['source']}[/]", *[_count(count) for count in counts])
    _print(out, table)


def _print_reasons(out: Console, rows: list[Row]) -> None:
    table = _table("Rejected, by reason", "rows")
    for row in rows:
        table.add_row(escape(row["reason"]), _count(row["rows"]))
    _print(out, table)


def _print_matches(out: Console, rows: list[Row], inputs: list[Row]) -> None:
    table = _table("Recognised as already known", "ids or rows", "of the source's rows", "mean score")
    for row in rows:
        rows_in = sum(found["rows_in"] for found in inputs if found["source"].startswith(row["source"]))
        share = _share(row["matches"], rows_in)
        table.add_row(
            f"{row['source']} [dim]{escape(row['method'])}[/]", _count(row["matches"]), share, f"{row['score']:.3f}"
        )
    _print(out, table)


def _print_clusters(out: Console, rows: list[Row]) -> None:
    table = _table("Audio clusters", "recordings", "")
    largest = max((row["size"] for row in rows), default=0)
    for row in rows:
        bar = "█" * round(_BAR_WIDTH * row["size"] / largest) if largest else ""
        table.add_row(
            f"[dim]{row['audio_features_type']}[/] {escape(row['name'])}",
            _count(row["size"]),
            f"[cyan]{bar:<{_BAR_WIDTH}}[/]",
        )
    _print(out, table)


def _print_times(screen: Screen, results: list[RunResult]) -> None:
    table = _table("What took how long", "seconds")
    runs = {result.dag_id: result for result in results}
    for text, seconds in screen.seconds.items():
        table.add_row(escape(text), f"{seconds:.1f}")
        for task in runs[text].tasks if text in runs else []:
            if task.duration_s is not None:
                table.add_row(f"  [dim]{escape(name_of(task))}[/]", f"[dim]{task.duration_s:.1f}[/]")
    _print(screen.console, table)


def _print_next(out: Console, login: tuple[str, str], is_staying: bool) -> None:
    user, password = login
    out.print()
    if is_staying:
        out.print(f"Web interface  [bold]{api_url()}[/]  user [bold]{user}[/]  password [bold]{escape(password)}[/]")
    out.print("SQL            [bold]bin/psql[/], for example")
    out.print("               [bold]bin/psql -f sql/example/audio_clusters.sql[/]")


def _table(title: str, *columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(f"[bold]{title}[/]", min_width=34)
    for column in columns:
        table.add_column(f"[dim]{column}[/]", justify="left" if column == "" else "right")
    return table


def _print(out: Console, table: Table) -> None:
    if table.row_count:
        out.print(Padding(table, (1, 0, 0, 0)))


def _count(number: int) -> str:
    return f"{number:,}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
