"""bin/import-history: bring an account export of Spotify into the lake, and load what it holds into the warehouse."""

import argparse
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

from etl import warehouse
from etl.config import Settings, settings
from etl.errors import EtlError
from etl.jobs import account_export, events
from launch.console import Screen
from launch.environment import state_dir
from launch.jars import resolve_jars
from launch.warehouse_client import warehouse_url

_LOADED = """
    select format, sum(rows_duplicate)::bigint as duplicates, sum(rows_rejected)::bigint as rejected
    from audit.row_count
    inner join audit.run_input using (run_id, input_id)
    where input_id = any(:input_ids)
    group by format
"""
_EVENTS = """
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
_PLAYLISTS = """
    select count(distinct x.playlist_id) as playlists, count(f.track_key) as tracks
    from audit.exported_playlist as x
    inner join warehouse.dim_playlist as p on p.playlist_id = x.playlist_id
    left join warehouse.fact_playlist_track as f on f.playlist_key = p.playlist_key and f.valid_to = 'infinity'
    where x.user_id = :user_id
"""
_REASONS = """
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
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    screen = Screen()
    try:
        with warehouse_url() as url:
            chosen = settings({**os.environ, "WAREHOUSE_URL": url})
            _prepare(chosen, screen)
            now = datetime.now(UTC)
            with screen.step("Import into the lake"):
                imported = account_export.import_export(options.path, options.user, options.timezone, chosen, now)
            with screen.step("Load into the warehouse"):
                is_new = load(chosen, now)
            report(screen, imported, options.user.strip(), chosen, is_new)
    except EtlError as error:
        screen.complain(str(error))
        return 1
    return 0


def load(chosen: Settings, now: datetime) -> bool:
    """Load what the lake holds of events and the warehouse does not yet know; whether any input was new."""
    run_id = f"load_events.{now:%Y%m%dT%H%M%S.%f}"
    if not events.plan_events(run_id, chosen):
        return False
    events.load_events(run_id, now.date(), chosen)
    return True


def report(screen: Screen, imported: dict[str, Any], user_id: str, chosen: Settings, is_new: bool) -> None:
    """Say what came of the export."""
    told = {"input_ids": [received["input_id"] for received in imported["inputs"]]}
    with warehouse.connect(chosen.warehouse_url) as connection:
        counts = {str(row["format"]): row for row in warehouse.rows(connection, _LOADED, **told)}
        by_kind = {row["kind"]: row["events"] for row in warehouse.rows(connection, _EVENTS, user_id=user_id, **told)}
        (playlists,) = warehouse.rows(connection, _PLAYLISTS, user_id=user_id)
        reasons = warehouse.rows(connection, _REASONS, **told)
    duplicates, rejected = (sum(int(str(row[name])) for row in counts.values()) for name in ("duplicates", "rejected"))
    left_out = imported["files_left_out"]
    lines = {
        "Files read": f"{imported['files_read']}",
        "Files left out": f"{len(left_out)}" + (f": {', '.join(left_out)}" if left_out else ""),
        "Records": ", ".join(f"{received['row_count']:,} {received['format']}" for received in imported["inputs"]),
        "Plays": f"{by_kind.get('PLAY', 0):,}",
        "Spoken": f"{by_kind.get('SPOKEN', 0):,} plays of podcasts and audiobooks",
        "Playlists": f"{playlists['playlists']:,} with {playlists['tracks']:,} tracks",
        "Saved tracks": f"{by_kind.get('LIKE', 0):,}, and {by_kind.get('FOLLOW', 0):,} followed artists",
        "Duplicates": f"{duplicates:,}: records that another source or an earlier import tells",
        "Rejected": f"{rejected:,}" + "".join(f"; {row['reason']}: {row['row_count']:,}" for row in reasons),
    }
    if not is_new:
        screen.say("Nothing new: the warehouse already held this export.")
    for name, text in lines.items():
        screen.say(f"{name:<15}{text}")
    if "warning" in imported:
        screen.complain(imported["warning"])


def _prepare(chosen: Settings, screen: Screen) -> None:
    """Make the warehouse's tables and fetch Spark's jars, where bin/run has never done so."""
    from etl.load.migrate import is_migrated, migrate  # SQLAlchemy's migrations are slow to load

    if not is_migrated(chosen.warehouse_url):
        with screen.step("Tables of the warehouse"):
            migrate(chosen.warehouse_url)
    resolve_jars(state_dir(), {**os.environ, "AIRFLOW_HOME": str(state_dir())})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/import-history", description=__doc__)
    parser.add_argument("path", metavar="PATH", help="the zip file that Spotify sent, a folder of its files, or a file")
    parser.add_argument("--user", required=True, metavar="ID", help="whose it is: user_id in warehouse.dim_user")
    parser.add_argument("--timezone", required=True, metavar="ZONE", help="where they live, such as Europe/Berlin")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
