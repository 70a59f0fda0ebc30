"""The load of events: dimension members first, then the events with the keys of these members.

Each part is published in a transaction of its own, under one lock. During the load readers may see a user, track or
artist without its events, and never an event without its dimension members.
"""

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, text

from etl.database import fetch_rows, retry_when_locked
from etl.database.run_records import Run, lock_for_run, record_published, record_start
from etl.formats.contracts import EVENTS
from etl.load import checks, library_duplicates, lookup, partitions, play_matches, spoken_duplicates, staging
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
    "name_matched_artist",
    "inferred_playlist",
    "dim_play_context",
    "input",
)
"""The files of sql/merge that publish the dimension members of events."""

PLAYLIST_MERGES = ("exported_playlist", "dim_playlist", "fact_playlist_track")
"""The files of sql/merge that publish playlists of account exports."""

AUDIT_MERGES = ("rejected_row_number", "rejected_row", "event_row_count", "gap", "changed_day")
"""The files of sql/merge that account for each row, close gaps, and queue changes for the marts."""

_CHECKS = checks.CHECKS_BEFORE_PUBLISHING / "events"
_LOCK_TIMEOUT = "5s"
_LOCK_ATTEMPTS = 60


class LoadPhase(IntEnum):
    """The steps of an event load, in order."""

    OPENED = 0
    DIMENSION_MEMBERS_STAGED = 1
    DIMENSION_MEMBERS_PUBLISHED = 2
    EVENTS_STAGED = 3
    EVENTS_PUBLISHED = 4


@dataclass
class EventLoad:
    """A load of events in progress, under the lock of the warehouse.

    Four calls change its phase, in this order; a call in another order raises RuntimeError:

    1. ``stage_dimension_members`` stages the dimension members of the events,
    2. ``publish_dimension_members`` gives these members their keys,
    3. ``stage_events`` stages the events with the keys,
    4. ``publish_events`` publishes them.

    ``list_month_starts`` needs 1, ``fetch_dimension_keys`` needs 2, and ``list_matchable_plays`` needs 3.
    """

    connection: Connection
    run: Run
    url: str = field(repr=False)
    load_id: str
    phase: LoadPhase = field(default=LoadPhase.OPENED, init=False)

    def stage_dimension_members(self, frames: Mapping[str, pa.Table]) -> None:
        """Stage the dimension members that events refer to, and records of users.

        :param frames: of ``contracts.EVENTS``: ``event_named`` or the tables that are filled from it; ``user_record``,
            ``exported_playlist`` and ``exported_playlist_track``, with the ``event_count`` of their inputs.
        """
        self._require(LoadPhase.OPENED)
        staging.stage_frames(frames, self.load_id, self.url)
        merge_table(self.connection, "event_members", {})
        staging.update_statistics(self.connection, _DIMENSION_MEMBER_TABLES)
        self.phase = LoadPhase.DIMENSION_MEMBERS_STAGED

    @property
    def staging_writer(self) -> StagingWriter:
        """Return the writer that tasks of this load use; it can be pickled."""
        return StagingWriter(self.url, self.load_id)

    def list_month_starts(self) -> dict[str, list[date]]:
        """Return the first days of the months of the events, by fact table."""
        self._require(LoadPhase.DIMENSION_MEMBERS_STAGED, LoadPhase.DIMENSION_MEMBERS_PUBLISHED)
        starts_by_table: dict[str, list[date]] = {}
        for row in fetch_rows(self.connection, _MONTH_STARTS):
            starts_by_table.setdefault(str(row["name"]), []).append(row["first_day"])  # type: ignore[arg-type]
        return starts_by_table

    def publish_dimension_members(self) -> None:
        """Publish the staged dimension members in a transaction of their own."""
        self._require(LoadPhase.DIMENSION_MEMBERS_STAGED)
        for table in DIMENSION_MEMBER_MERGES:
            merge_table(self.connection, table, {})
        self.connection.commit()
        self.phase = LoadPhase.DIMENSION_MEMBERS_PUBLISHED

    def fetch_dimension_keys(self) -> dict[str, pa.Table]:
        """Return the surrogate keys of the dimension members, as ``lookup.fetch_dimension_keys`` does."""
        self._require(LoadPhase.DIMENSION_MEMBERS_PUBLISHED, LoadPhase.EVENTS_STAGED)
        return lookup.fetch_dimension_keys(self.url)

    def list_known_follows(self, user_ids: list[str]) -> list[dict[str, object]]:
        """Return the artists that users follow according to the API: user_id, artist_id, event_time."""
        return fetch_rows(self.connection, _KNOWN_FOLLOWS, user_ids=user_ids)

    def list_isrc_tracks(self, isrcs: list[str]) -> list[tuple[str, str]]:
        """Return the ISRCs that the catalogue has, each with the smallest id of Spotify that it means."""
        return [
            (str(row["isrc"]), str(row["track_id"])) for row in fetch_rows(self.connection, _ISRC_TRACKS, isrcs=isrcs)
        ]

    def stage_events(self, write_events: Callable[[], object], month_starts: Mapping[str, list[date]]) -> list[Month]:
        """Stage, index and check events; count and remove those that are published already or reported twice.

        :param write_events: writes all events by ``StagingWriter.write_events``; called once the staging tables exist.
        :param month_starts: the first days of the months of the events, by fact table.
        :returns: the months.
        :raises CheckFailedError: if staged rows fail a check; the facts are unchanged.
        """
        self._require(LoadPhase.DIMENSION_MEMBERS_PUBLISHED)
        months = [Month(table, day) for table in partitions.FACT_TABLES for day in sorted(month_starts.get(table, ()))]
        partitions.create_staging_partitions(self.connection, months)
        self.connection.commit()
        write_events()
        new_months = partitions.list_new_months(self.connection, months)
        # In a new month, building the unique index finds repeated events; an existing month is compared row by row.
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
        self.phase = LoadPhase.EVENTS_STAGED
        return months

    def list_matchable_plays(self, sources: Sequence[str]) -> list[dict[str, Any]]:
        """Return plays that several sources may report, as ``play_matches.list_matchable_plays`` does."""
        self._require(LoadPhase.EVENTS_STAGED)
        return play_matches.list_matchable_plays(self.connection, sources)

    def list_track_name_ids(self, track_keys: Collection[int]) -> dict[int, list[str]]:
        """Return the name ids of tracks, as ``play_matches.list_track_name_ids`` does."""
        return play_matches.list_track_name_ids(self.connection, track_keys)

    def publish_events(
        self, months: list[Month], sources: Sequence[str], matches: Iterable[tuple[object, ...]]
    ) -> dict[str, int]:
        """Publish the staged events in one transaction.

        :param months: as ``stage_events`` returns them.
        :param sources: the sources whose plays were matched.
        :param matches: rows for ``play_matches.stage_matches``.
        :returns: rows added, by table.
        """
        self._require(LoadPhase.EVENTS_STAGED)
        play_matches.stage_matches(self.connection, matches)
        self.connection.commit()
        written_rows = retry_when_locked(
            lambda: self._publish_in_transaction(months, sources), _LOCK_ATTEMPTS, 1, before_retry=self._roll_back
        )
        self.phase = LoadPhase.EVENTS_PUBLISHED
        log.info("Published: %s.", ", ".join(f"{name} {count}" for name, count in written_rows.items()) or "no event")
        return written_rows

    def _require(self, *phases: LoadPhase) -> None:
        if self.phase not in phases:
            expected = " or ".join(phase.name for phase in phases)
            raise RuntimeError(f"This step of an event load needs the phase {expected}, not {self.phase.name}.")

    def _roll_back(self) -> None:
        self.connection.rollback()
        log.info("Another session has locked a table that the events are published into: trying again.")

    def _publish_in_transaction(self, months: list[Month], sources: Sequence[str]) -> dict[str, int]:
        self.connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT}'"))
        new_months = partitions.list_new_months(self.connection, months)
        # The order matters. Events of reloaded inputs go first, so that their new rows are no duplicates. Matches move
        # rows out of staging and the facts, so the counts and the audit follow them. New rows come after the deletions.
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
        for month in new_months:  # last: attaching locks the fact table against other changes until the commit
            partitions.attach_month(self.connection, month)
        self.connection.commit()
        return {str(row["name"]): int(str(row["size"])) for row in counts if row["size"]} | playlists

    def _publish_playlists(self) -> dict[str, int]:
        """Merge staged playlists of exports; return the rows written, by table."""
        result = fetch_rows(self.connection, "select exists (select from staging.exported_playlist) as is_staged")
        return merge_and_count(self.connection, PLAYLIST_MERGES) if result[0]["is_staged"] else {}


_DIMENSION_MEMBER_TABLES = [name for name in EVENTS if name.startswith("event_")] + ["user_record"]

_MONTH_STARTS = """
    select distinct case when is_spoken then 'fact_spoken_event' else 'fact_event' end as name, first_day
    from staging.event_named
    where name_set = 'months'
    order by first_day
"""

_ISRC_TRACKS = """
    select a.alias_value as isrc, min(t.track_id) as track_id
    from warehouse.track_alias as a
    inner join warehouse.dim_track as t on t.track_key = a.track_key
    where a.alias_kind = 'isrc'
        and a.alias_value = any(:isrcs)
        and t.track_id not like 'name:%'
        and t.source <> 'mock_api'
    group by a.alias_value
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
    """Open a load of events; wait while another run changes the warehouse.

    :param run: the run of the load.
    :returns: None if the run is already published.
    :raises EtlError: if PostgreSQL fails, as ``connection.explain_error`` decides; recorded in audit.run.
    """
    with lock_for_run(run, url) as connection:
        if not record_start(connection, run):
            log.info("The run %s is already published.", run.run_id)
            yield None
            return
        connection.commit()
        load_id = uuid.uuid4().hex
        staging.prepare_load(connection, load_id, run, [])
        yield EventLoad(connection, run, url, load_id)
