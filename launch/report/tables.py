"""The report's sections about the catalogue: rows by table, tracks, inputs, rejected rows, matches and clusters."""

from datetime import date

from rich.console import Console
from rich.markup import escape

from launch.report.table import Row, format_count, format_percentage, make_table, print_table

RESPONSE_INPUTS = "spotify_answers"
"""The format of inputs that are responses of Spotify's API."""

RESPONSE_LABELS = {
    RESPONSE_INPUTS: "Spotify API responses",
    "reccobeats_responses": "ReccoBeats responses",
    "mock_reccobeats_responses": "ReccoBeats responses (mock server)",
}
"""The formats of inputs that are responses; the report sums up those of a format in one line."""

_PROVIDER_LABELS = {
    "spotify": "Spotify",
    "kaggle": "Kaggle files",
    "reccobeats": "ReccoBeats",
    "mock_reccobeats": "ReccoBeats (mock server)",
}
_BAR_WIDTH = 28
_COUNTS = ("rows_in", "rows_loaded", "rows_duplicate", "rows_rejected")


def print_tables(out: Console, rows: list[Row], written_rows: dict[str, int]) -> None:
    grid = make_table("Rows by table", "now", "written by this start")
    for row in rows:
        new_rows = written_rows.get(row["table_name"], 0)
        grid.add_row(row["table_name"], format_count(row["rows"]), format_count(new_rows) if new_rows else "[dim]–[/]")
    print_table(out, grid)


def print_tracks(out: Console, row: Row, bounds: list[Row], sources: list[Row]) -> None:
    grid = make_table("Tracks and recordings", "", "")
    grid.add_row("tracks (ids)", format_count(row["tracks"]), "")
    if row["added"] is not None:
        grid.add_row("  new in the last refresh", format_count(row["added"]), "")
    grid.add_row("recordings", format_count(row["recordings"]), "[dim]tracks of one recording count once[/]")
    grid.add_row("without a Spotify id", format_count(row["made_ids"]), "[dim]with a name-derived id[/]")
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


def print_feature_providers(out: Console, rows: list[Row]) -> None:
    """Print how many of the tracks that were requested from each provider of audio features it had."""
    grid = make_table("Audio features by provider", "requested", "found", "match rate", "in use", "of all tracks")
    for row in rows:
        requested = [row[name] for name in ("requested", "found")]
        grid.add_row(
            _PROVIDER_LABELS.get(str(row["provider"]), escape(str(row["provider"]))),
            *["" if number is None else format_count(number) for number in requested],
            "" if row["match_rate"] is None else f"{row['match_rate']:.1%}",
            format_count(row["used"]),
            f"{row['fraction_of_tracks']:.1%}",
        )
    print_table(out, grid)


def print_inputs(out: Console, rows: list[Row]) -> None:
    grid = make_table("Rows of the inputs", *(name.removeprefix("rows_") for name in _COUNTS))
    for row in rows:
        if row["source"] not in RESPONSE_LABELS:
            grid.add_row(
                f"{escape(row['name'])} [dim]{row['source']}[/]", *[format_count(row[name]) for name in _COUNTS]
            )
    for source, label in RESPONSE_LABELS.items():
        response_rows = [row for row in rows if row["source"] == source]
        if response_rows:
            sums = [format_count(sum(row[name] for row in response_rows)) for name in _COUNTS]
            grid.add_row(f"{label} [dim]{format_count(len(response_rows))} fetches of all runs[/]", *sums)
    print_table(out, grid)


def print_remarks(out: Console, rows: list[Row]) -> None:
    for row in rows:
        out.print(f"[yellow]{escape(row['name'])}:[/] {escape(row['sentence'])}")


def print_reasons(out: Console, rows: list[Row]) -> None:
    grid = make_table("Rejected, by reason", "rows")
    for row in rows:
        grid.add_row(escape(row["reason"]), format_count(row["rows"]))
    print_table(out, grid)


def print_matches(out: Console, rows: list[Row], inputs: list[Row]) -> None:
    grid = make_table("Matched to existing tracks", "ids or rows", "of the source's rows", "mean score")
    for row in rows:
        source = RESPONSE_INPUTS if row["source"] in ("api", "mock_api") else row["source"]
        rows_in = sum(input_row["rows_in"] for input_row in inputs if input_row["source"].startswith(source))
        cells = [format_count(row["matches"]), format_percentage(row["matches"], rows_in), f"{row['score']:.3f}"]
        grid.add_row(f"{row['source']} [dim]{escape(row['method'])}[/]", *cells)
    print_table(out, grid)


def print_clusters(out: Console, rows: list[Row]) -> None:
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


def _format_month(day: date) -> str:
    return f"{day:%Y-%m}"
