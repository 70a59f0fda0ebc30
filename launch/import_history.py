"""bin/import-history: bring a listening history into the lake, and load it into the warehouse."""

import logging
import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from etl import database
from etl.jobs import account_import, events
from etl.settings import Settings, read_settings
from launch.command_line import run_command
from launch.console import Screen
from launch.environment import get_state_dir
from launch.spark_jars import resolve_jars
from launch.warehouse_client import resolve_warehouse_url

_ROW_COUNTS = """
    select format, sum(rows_duplicate)::bigint as duplicates, sum(rows_rejected)::bigint as rejected
    from audit.row_count
    inner join audit.run_input using (run_id, input_id)
    where input_id = any(:input_ids)
    group by format
"""
_EVENT_COUNTS = """
    select e.kind, count(*) as events
    from (
        select user_key, input_key, activity_type as kind from warehouse.fact_event
        union all
        select user_key, input_key, 'SPOKEN' from warehouse.fact_spoken_event
    ) as e
    inner join warehouse.dim_user as u on u.user_key = e.user_key
    where u.user_id = :user_id
        and e.input_key in (select input_key from audit.input where input_id = any(:input_ids))
    group by e.kind
"""
_UNCATALOGUED_PLAYS = """
    select
        count(*) filter (where t.track_key <= 0) as unknown_tracks,
        count(*) filter (where t.track_key > 0 and t.is_inferred) as uncatalogued
    from warehouse.fact_event as e
    inner join warehouse.dim_track as t on t.track_key = e.track_key
    where e.activity_type = 'PLAY'
        and e.input_key in (select input_key from audit.input where input_id = any(:input_ids))
"""
_PLAYLIST_COUNTS = """
    select count(distinct x.playlist_id) as playlists, count(f.track_key) as tracks
    from audit.exported_playlist as x
    inner join warehouse.dim_playlist as p on p.playlist_id = x.playlist_id
    left join warehouse.fact_playlist_track as f on f.playlist_key = p.playlist_key and f.valid_to = 'infinity'
    where x.user_id = :user_id
"""
_REJECTION_REASONS = """
    select reason, count(*) as row_count
    from audit.rejected_row
    where input_id = any(:input_ids)
    group by reason
    order by count(*) desc, reason
"""


def main(arguments: list[str]) -> int:
    """Run bin/import-history; return its exit code."""
    return run_command("import-history", import_history, arguments)


def import_history(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="The zip file of the service, a folder of its files, or a file.")
    ],
    user: Annotated[
        str,
        typer.Option(metavar="ID", help="The listener's user_id in warehouse.dim_user, or a new id of your choice."),
    ],
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="The listener's timezone, such as Europe/Berlin.")],
) -> int:
    """Bring a listening history into the lake, and load it into the warehouse.

    Spotify's exports are read, and those of ListenBrainz, Last.fm, Apple Music and YouTube Music: docs/exports.md.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    screen = Screen()
    with resolve_warehouse_url() as url:
        settings = read_settings({**os.environ, "WAREHOUSE_URL": url})
        _prepare_warehouse(settings, screen)
        now = datetime.now(UTC)
        with screen.show_step("Import into the lake"):
            imported = account_import.import_export(path, user, timezone, settings, now)
        with screen.show_step("Load into the warehouse"):
            has_new_inputs = load_new_events(settings, now)
        print_import_report(screen, imported, user.strip(), settings, has_new_inputs)
        if feed_warning := account_import.find_feed_warning(user, settings):
            screen.print_error(feed_warning)
    return 0


def load_new_events(settings: Settings, now: datetime) -> bool:
    """Load the events of all inputs in the lake that no run has loaded yet; return whether there were any."""
    run_id = f"load_events.{now:%Y%m%dT%H%M%S.%f}"
    if not events.plan_events(run_id, settings):
        return False
    events.load_events(run_id, now.date(), settings)
    return True


def print_import_report(
    screen: Screen, imported: dict[str, Any], user_id: str, settings: Settings, has_new_inputs: bool
) -> None:
    """Print the counts of the export, with the rows that were duplicates or rejected."""
    parameters = {"input_ids": [received["input_id"] for received in imported["inputs"]]}
    with database.connect(settings.warehouse_url) as connection:
        counts = {str(row["format"]): row for row in database.fetch_rows(connection, _ROW_COUNTS, **parameters)}
        events_by_kind = {
            row["kind"]: row["events"]
            for row in database.fetch_rows(connection, _EVENT_COUNTS, user_id=user_id, **parameters)
        }
        (playlists,) = database.fetch_rows(connection, _PLAYLIST_COUNTS, user_id=user_id)
        (uncatalogued,) = database.fetch_rows(connection, _UNCATALOGUED_PLAYS, **parameters)
        reasons = database.fetch_rows(connection, _REJECTION_REASONS, **parameters)
    duplicates, rejected = (sum(int(str(row[name])) for row in counts.values()) for name in ("duplicates", "rejected"))
    ignored_files = imported["files_left_out"]
    identifiers = account_import.count_identifiers(parameters["input_ids"], settings)
    left_out = imported.get("records_left_out", {})
    lines = {
        "Files read": f"{imported['files_read']}",
        "Files left out": f"{len(ignored_files)}" + (f": {', '.join(ignored_files)}" if ignored_files else ""),
        "Records": ", ".join(f"{received['row_count']:,} {received['format']}" for received in imported["inputs"]),
        "Records left out": ", ".join(f"{count:,} {reason}" for reason, count in left_out.items()) or "none",
        "Plays": f"{events_by_kind.get('PLAY', 0):,}",
        "Tracks found": f"by id for {identifiers['id']:,} records, by ISRC for {identifiers['isrc']:,}, by name for "
        f"{identifiers['name']:,}; {uncatalogued['uncatalogued']:,} plays of tracks that the catalogue lacks, "
        f"{uncatalogued['unknown_tracks']:,} of the unknown track",
        "Spoken": f"{events_by_kind.get('SPOKEN', 0):,} plays of podcasts and audiobooks",
        "Playlists": f"{playlists['playlists']:,} with {playlists['tracks']:,} tracks",
        "Saved tracks": f"{events_by_kind.get('LIKE', 0):,}, and {events_by_kind.get('FOLLOW', 0):,} followed artists",
        "Duplicates": f"{duplicates:,}: records that another source or an earlier import also has",
        "Rejected": f"{rejected:,}" + "".join(f"; {row['reason']}: {row['row_count']:,}" for row in reasons),
    }
    if not has_new_inputs:
        screen.print_line("Nothing new: the warehouse already has this export.")
    for name, text in lines.items():
        screen.print_line(f"{name:<17}{text}")
    if "warning" in imported:
        screen.print_error(imported["warning"])


def _prepare_warehouse(settings: Settings, screen: Screen) -> None:
    """Create the warehouse's tables and fetch Spark's jars, unless bin/run has done so."""
    from etl.load.migrate import is_migrated, migrate_warehouse  # Alembic is slow to import

    if not is_migrated(settings.warehouse_url):
        with screen.show_step("Tables of the warehouse"):
            migrate_warehouse(settings.warehouse_url)
    resolve_jars(get_state_dir(), {**os.environ, "AIRFLOW_HOME": str(get_state_dir())})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
