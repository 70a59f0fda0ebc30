"""The load of events: members first, then the events with the keys of their members.

Both are published each in a transaction of its own, under one lock: readers see a user, track or artist without its
events for as long as the load takes, and never an event of which something is missing.
"""

import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from etl.database import fetch_rows
from etl.database.run_records import Run, record_published, record_start
from etl.formats.contracts import EVENTS
from etl.load import checks, library_duplicates, lookup, partitions, play_matches, spoken_duplicates, staging
from etl.load.frame_load import lock_for_run
from etl.load.partitions import Month
from etl.load.publish import merge_and_count, merge_table
from etl.load.staging import StagingWriter

log = logging.getLogger(__name__)

DIMENSION_MEMBER_MERGES = (
    "user_record",
    "dim_user",
    "inferred_user",
    "inferred_artist",
    "inferred_track",
    "track_name",
    "inferred_recording",
    "guessed_artist",
    "inferred_playlist",
    "dim_play_context",
    "input",
)
"""The files of sql/merge that publish what events name."""

PLAYLIST_MERGES = ("exported_playlist", "dim_playlist", "fact_playlist_track")
"""The files of sql/merge that publish playlists of account exports."""

AUDIT_MERGES = ("refused_row_number", "rejected_row", "event_row_count", "gap", "touched_day")
"""The files of sql/merge that say what became of each row, which plays were missing, and what the marts must follow."""

_CHECKS = checks.CHECKS_BEFORE_PUBLISHING / "events"
_LOCK_TIMEOUT = "5s"
_LOCK_ATTEMPTS = 60
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class EventLoad:
    """A load of events in progress, under the lock."""

    connection: Connection
    run: Run
    url: str = field(repr=False)
    load_id: str

    def stage_dimension_members(self, frames: Mapping[str, pa.Table]) -> None:
        """Stage what events name, and what is said of users.

        :param frames: of ``schemas.EVENTS``: ``event_named``, or the members it has; ``user_record``,
            ``exported_playlist`` and ``exported_playlist_track``, and ``event_count`` of the inputs that told these.
        """
        staging.stage_frames(frames, self.load_id, self.url)
        merge_table(self.connection, "event_members", {})
        staging.update_statistics(self.connection, _DIMENSION_MEMBER_TABLES)

    @property
    def staging_writer(self) -> StagingWriter:
        """Where parts of this load write."""
        return StagingWriter(self.url, self.load_id)

    def list_month_starts(self) -> dict[str, list[date]]:
        """The first days of the months that each fact table gets events in."""
        starts_by_table: dict[str, list[date]] = {}
        for row in fetch_rows(self.connection, _MONTH_STARTS):
            starts_by_table.setdefault(str(row["name"]), []).append(row["first_day"])  # type: ignore[arg-type]
        return starts_by_table

    def publish_dimension_members(self) -> None:
        """Make what staged events name known to the star."""
        for table in DIMENSION_MEMBER_MERGES:
            merge_table(self.connection, table, {})
        self.connection.commit()

    def fetch_dimension_keys(self) -> dict[str, pa.Table]:
        """The keys of the members, as ``lookup.keys`` gives them."""
        return lookup.fetch_dimension_keys(self.url)

    def list_known_follows(self, user_ids: list[str]) -> list[dict[str, object]]:
        """The artists that users are known to follow by the API: user_id, artist_id, event_time."""
        return fetch_rows(self.connection, _KNOWN_FOLLOWS, user_ids=user_ids)

    def stage_events(self, write_events: Callable[[], object], month_starts: Mapping[str, list[date]]) -> list[Month]:
        """Stage, index and check events; what the star has already, and what is told twice, is counted and left out.

        :param stage: writes all events, by ``Staging.write_events``, into the months that are made by then.
        :param first_days: of the months that each has rows in.
        :returns: the months.
        :raises CheckFailedError: where staged rows must not be published; the facts are as they were.
        """
        months = [Month(table, day) for table in partitions.FACT_TABLES for day in sorted(month_starts.get(table, ()))]
        partitions.create_staging_partitions(self.connection, months)
        self.connection.commit()
        write_events()
        new_months = partitions.list_new_months(self.connection, months)
        for month in months:
            if month not in new_months:
                partitions.drop_repeated_events(self.connection, month)
                partitions.drop_published_events(self.connection, month)
        partitions.drop_previously_matched_plays(self.connection)
        library_duplicates.drop_staged_duplicates(self.connection)
        spoken_duplicates.drop_staged_duplicates(self.connection)
        self.connection.commit()
        partitions.index_months(self.url, new_months)
        checks.run_checks(self.connection, _CHECKS)
        self.connection.commit()
        return months

    def list_matchable_plays(self, sources: Sequence[str]) -> list[dict[str, Any]]:
        """Plays that several sources may report, as ``matched.plays`` gives them."""
        return play_matches.list_matchable_plays(self.connection, sources)

    def list_track_name_ids(self, track_keys: Collection[int]) -> dict[int, list[str]]:
        """The name ids of tracks, as ``matched.track_names`` gives them."""
        return play_matches.list_track_name_ids(self.connection, track_keys)

    def publish_events(
        self, months: list[Month], sources: Sequence[str], matches: Iterable[tuple[object, ...]]
    ) -> dict[str, int]:
        """Publish what is staged.

        :param sources: the ones that matches are about.
        :param matches: as ``matched.stage`` takes them.
        :returns: rows added, by table.
        """
        play_matches.stage_matches(self.connection, matches)
        self.connection.commit()
        written_rows = self._publish_when_unlocked(months, sources)
        log.info("Published: %s.", ", ".join(f"{name} {count}" for name, count in written_rows.items()) or "no event")
        return written_rows

    def _publish_when_unlocked(self, months: list[Month], sources: Sequence[str]) -> dict[str, int]:
        for attempt in range(1, _LOCK_ATTEMPTS + 1):
            try:
                return self._publish_in_transaction(months, sources)
            except OperationalError as error:
                self.connection.rollback()
                if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE or attempt == _LOCK_ATTEMPTS:
                    raise
                log.info("Somebody holds a table that the events are published into: trying again.")
                time.sleep(1)
        raise AssertionError("the last try returns or raises")

    def _publish_in_transaction(self, months: list[Month], sources: Sequence[str]) -> dict[str, int]:
        self.connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT}'"))
        new_months = partitions.list_new_months(self.connection, months)
        merge_table(self.connection, "reloaded_event", {})
        play_matches.apply_matches(self.connection, sources)
        library_duplicates.delete_superseded_events(self.connection)
        spoken_duplicates.delete_superseded_events(self.connection)
        playlists = self._publish_playlists()
        counts = fetch_rows(self.connection, _ARRIVAL_COUNTS)
        for table in AUDIT_MERGES:
            merge_table(self.connection, table, {})
        for month in months:
            if month not in new_months:
                partitions.insert_month(self.connection, month)
        record_published(self.connection, self.run)
        self.connection.execute(text(_CLEAR_RELOADED_INPUTS))
        for month in new_months:  # last: from here to the commit nobody else attaches or migrates
            partitions.attach_month(self.connection, month)
        self.connection.commit()
        return {str(row["name"]): int(str(row["size"])) for row in counts if row["size"]} | playlists

    def _publish_playlists(self) -> dict[str, int]:
        """Merge the playlists of exports that are staged; rows written, by table."""
        result = fetch_rows(self.connection, "select exists (select from staging.exported_playlist) as it")
        return merge_and_count(self.connection, PLAYLIST_MERGES) if result[0]["it"] else {}


_DIMENSION_MEMBER_TABLES = [name for name in EVENTS if name.startswith("event_")] + ["user_record"]

_MONTH_STARTS = """
    select distinct case when is_spoken then 'fact_spoken_event' else 'fact_event' end as name, first_day
    from staging.event_named
    where name_set = 'months'
    order by first_day
"""

_KNOWN_FOLLOWS = """
    select u.user_id, a.artist_id, min(e.event_time) as event_time
    from warehouse.dim_user as u
    inner join warehouse.fact_event as e on e.user_key = u.user_key
    inner join warehouse.dim_artist as a on a.artist_key = e.artist_key
    where u.user_id = any(:user_ids) and e.source = 'followed_artists'
    group by u.user_id, a.artist_id
"""

_CLEAR_RELOADED_INPUTS = (
    "delete from audit.reload_input where input_id in (select input_id from staging.reloaded_input)"
)

_ARRIVAL_COUNTS = "select table_name as name, sum(row_count) as size from staging.arrival group by table_name"


@contextmanager
def open_event_load(run: Run, url: str) -> Iterator[EventLoad | None]:
    """A load of events; waits while another run changes the warehouse.

    :param run: what the load belongs to.
    :returns: None where the run was published already.
    :raises EtlError: where PostgreSQL fails, as ``warehouse.explained`` says; noted in audit.run.
    """
    with lock_for_run(run, url) as connection:
        if not record_start(connection, run):
            log.info("The run %s is published already.", run.run_id)
            yield None
            return
        connection.commit()
        load_id = uuid.uuid4().hex
        staging.prepare_load(connection, load_id, run, [])
        yield EventLoad(connection, run, url, load_id)
