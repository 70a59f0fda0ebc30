"""bin/import-history: bring an account export of Spotify into the lake, and load what it holds into the warehouse."""

import argparse
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

from etl import database
from etl.errors import EtlError
from etl.jobs import account_import, events
from etl.settings import Settings, read_settings
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
    """Import an export and load it.

    :returns: 0, or 1 if the export could not be imported or loaded.
    """
    options = _build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    screen = Screen()
    try:
        with resolve_warehouse_url() as url:
            settings = read_settings({**os.environ, "WAREHOUSE_URL": url})
            _prepare_warehouse(settings, screen)
            now = datetime.now(UTC)
            with screen.show_step("Import into the lake"):
                imported = account_import.import_export(options.path, options.user, options.timezone, settings, now)
            with screen.show_step("Load into the warehouse"):
                has_new_inputs = load_new_events(settings, now)
            print_import_report(screen, imported, options.user.strip(), settings, has_new_inputs)
    except EtlError as error:
        screen.print_error(str(error))
        return 1
    return 0


def load_new_events(settings: Settings, now: datetime) -> bool:
    """Load what the lake holds of events and the warehouse does not yet know; whether any input was new."""
    run_id = f"load_events.{now:%Y%m%dT%H%M%S.%f}"
    if not events.plan_events(run_id, settings):
        return False
    events.load_events(run_id, now.date(), settings)
    return True


def print_import_report(
    screen: Screen, imported: dict[str, Any], user_id: str, settings: Settings, has_new_inputs: bool
) -> None:
    """Say what came of the export."""
    parameters = {"input_ids": [received["input_id"] for received in imported["inputs"]]}
    with database.connect(settings.warehouse_url) as connection:
        counts = {str(row["format"]): row for row in database.fetch_rows(connection, _ROW_COUNTS, **parameters)}
        events_by_kind = {
            row["kind"]: row["events"]
            for row in database.fetch_rows(connection, _EVENT_COUNTS, user_id=user_id, **parameters)
        }
        (playlists,) = database.fetch_rows(connection, _PLAYLIST_COUNTS, user_id=user_id)
        reasons = database.fetch_rows(connection, _REJECTION_REASONS, **parameters)
    duplicates, rejected = (sum(int(str(row[name])) for row in counts.values()) for name in ("duplicates", "rejected"))
    ignored_files = imported["files_left_out"]
    lines = {
        "Files read": f"{imported['files_read']}",
        "Files left out": f"{len(ignored_files)}" + (f": {', '.join(ignored_files)}" if ignored_files else ""),
        "Records": ", ".join(f"{received['row_count']:,} {received['format']}" for received in imported["inputs"]),
        "Plays": f"{events_by_kind.get('PLAY', 0):,}",
        "Spoken": f"{events_by_kind.get('SPOKEN', 0):,} plays of podcasts and audiobooks",
        "Playlists": f"{playlists['playlists']:,} with {playlists['tracks']:,} tracks",
        "Saved tracks": f"{events_by_kind.get('LIKE', 0):,}, and {events_by_kind.get('FOLLOW', 0):,} followed artists",
        "Duplicates": f"{duplicates:,}: records that another source or an earlier import tells",
        "Rejected": f"{rejected:,}" + "".join(f"; {row['reason']}: {row['row_count']:,}" for row in reasons),
    }
    if not has_new_inputs:
        screen.print_line("Nothing new: the warehouse already held this export.")
    for name, text in lines.items():
        screen.print_line(f"{name:<15}{text}")
    if "warning" in imported:
        screen.print_error(imported["warning"])


def _prepare_warehouse(settings: Settings, screen: Screen) -> None:
    """Make the warehouse's tables and fetch Spark's jars, where bin/run has never done so."""
    from etl.load.migrate import is_migrated, migrate_warehouse  # SQLAlchemy's migrations are slow to load

    if not is_migrated(settings.warehouse_url):
        with screen.show_step("Tables of the warehouse"):
            migrate_warehouse(settings.warehouse_url)
    resolve_jars(get_state_dir(), {**os.environ, "AIRFLOW_HOME": str(get_state_dir())})


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/import-history", description=__doc__)
    parser.add_argument("path", metavar="PATH", help="the zip file that Spotify sent, a folder of its files, or a file")
    parser.add_argument("--user", required=True, metavar="ID", help="whose it is: user_id in warehouse.dim_user")
    parser.add_argument("--timezone", required=True, metavar="ZONE", help="where they live, such as Europe/Berlin")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
