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

from etl.config import CHECKOUT
from etl.load import checks, lookup, matched, partitions, saved, spoken, staging
from etl.load.loading import alone
from etl.load.partitions import Month
from etl.load.publish import merge, merge_counted
from etl.load.run import Run, record_published, record_start
from etl.load.staging import Staging
from etl.schemas import EVENTS
from etl.warehouse import rows

log = logging.getLogger(__name__)

MEMBERS = (
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

PLAYLISTS = ("exported_playlist", "dim_playlist", "fact_playlist_track")
"""The files of sql/merge that publish playlists of account exports."""

ACCOUNTS = ("refused_row_number", "rejected_row", "event_row_count", "gap", "touched_day")
"""The files of sql/merge that say what became of each row, which plays were missing, and what the marts must follow."""

_CHECKS = CHECKOUT / "sql" / "check" / "events"
_LOCK_TIMEOUT = "5s"
_LOCK_TRIES = 60
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class EventLoad:
    """A load of events in progress, under the lock."""

    connection: Connection
    run: Run
    url: str = field(repr=False)
    load_id: str

    def stage_members(self, frames: Mapping[str, pa.Table]) -> None:
        """Stage what events name, and what is said of users.

        :param frames: of ``schemas.EVENTS``: ``event_named``, or the members it has; ``user_record``,
            ``exported_playlist`` and ``exported_playlist_track``, and ``event_count`` of the inputs that told these.
        """
        staging.stage(frames, self.load_id, self.url)
        merge(self.connection, "event_members", {})
        staging.analyse(self.connection, _STAGED_MEMBERS)

    @property
    def staging(self) -> Staging:
        """Where parts of this load write."""
        return Staging(self.url, self.load_id)

    def first_days(self) -> dict[str, list[date]]:
        """The first days of the months that each fact table gets events in."""
        found: dict[str, list[date]] = {}
        for row in rows(self.connection, _FIRST_DAYS):
            found.setdefault(str(row["name"]), []).append(row["first_day"])  # type: ignore[arg-type]
        return found

    def publish_members(self) -> None:
        """Make what staged events name known to the star."""
        for table in MEMBERS:
            merge(self.connection, table, {})
        self.connection.commit()

    def keys(self) -> dict[str, pa.Table]:
        """The keys of the members, as ``lookup.keys`` gives them."""
        return lookup.keys(self.url)

    def known_follows(self, user_ids: list[str]) -> list[dict[str, object]]:
        """The artists that users are known to follow by the API: user_id, artist_id, event_time."""
        return rows(self.connection, _KNOWN_FOLLOWS, user_ids=user_ids)

    def stage_events(self, stage: Callable[[], object], first_days: Mapping[str, list[date]]) -> list[Month]:
        """Stage, index and check events; what the star has already, and what is told twice, is counted and left out.

        :param stage: writes all events, by ``Staging.write_events``, into the months that are made by then.
        :param first_days: of the months that each has rows in.
        :returns: the months.
        :raises CheckFailedError: where staged rows must not be published; the facts are as they were.
        """
        months = [Month(table, day) for table in partitions.TABLES for day in sorted(first_days.get(table, ()))]
        partitions.make(self.connection, months)
        self.connection.commit()
        stage()
        new = partitions.new_months(self.connection, months)
        for month in months:
            if month not in new:
                partitions.drop_repeated(self.connection, month)
                partitions.drop_known(self.connection, month)
        partitions.drop_matched_before(self.connection)
        saved.drop_told_before(self.connection)
        spoken.drop_told_before(self.connection)
        self.connection.commit()
        partitions.index(self.url, new)
        checks.run_checks(self.connection, _CHECKS)
        self.connection.commit()
        return months

    def plays(self, sources: Sequence[str]) -> list[dict[str, Any]]:
        """Plays that several sources may report, as ``matched.plays`` gives them."""
        return matched.plays(self.connection, sources)

    def track_names(self, track_keys: Collection[int]) -> dict[int, list[str]]:
        """The name ids of tracks, as ``matched.track_names`` gives them."""
        return matched.track_names(self.connection, track_keys)

    def publish_events(
        self, months: list[Month], sources: Sequence[str], matches: Iterable[tuple[object, ...]]
    ) -> dict[str, int]:
        """Publish what is staged.

        :param sources: the ones that matches are about.
        :param matches: as ``matched.stage`` takes them.
        :returns: rows added, by table.
        """
        matched.stage(self.connection, matches)
        self.connection.commit()
        written = self._when_unlocked(months, sources)
        log.info("Published: %s.", ", ".join(f"{name} {count}" for name, count in written.items()) or "no event")
        return written

    def _when_unlocked(self, months: list[Month], sources: Sequence[str]) -> dict[str, int]:
        for number in range(1, _LOCK_TRIES + 1):
            try:
                return self._publish(months, sources)
            except OperationalError as error:
                self.connection.rollback()
                if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE or number == _LOCK_TRIES:
                    raise
                log.info("Somebody holds a table that the events are published into: trying again.")
                time.sleep(1)
        raise AssertionError("the last try returns or raises")

    def _publish(self, months: list[Month], sources: Sequence[str]) -> dict[str, int]:
        self.connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT}'"))
        new = partitions.new_months(self.connection, months)
        merge(self.connection, "reloaded_event", {})
        matched.apply(self.connection, sources)
        saved.give_way(self.connection)
        spoken.give_way(self.connection)
        playlists = self._publish_playlists()
        counts = rows(self.connection, _COUNTS)
        for table in ACCOUNTS:
            merge(self.connection, table, {})
        for month in months:
            if month not in new:
                partitions.add(self.connection, month)
        record_published(self.connection, self.run)
        self.connection.execute(text(_IS_RELOADED))
        for month in new:  # last: from here to the commit nobody else attaches or migrates
            partitions.attach(self.connection, month)
        self.connection.commit()
        return {str(row["name"]): int(str(row["size"])) for row in counts if row["size"]} | playlists

    def _publish_playlists(self) -> dict[str, int]:
        """Merge the playlists of exports that are staged; rows written, by table."""
        staged = rows(self.connection, "select exists (select from staging.exported_playlist) as it")
        return merge_counted(self.connection, PLAYLISTS) if staged[0]["it"] else {}


_STAGED_MEMBERS = [name for name in EVENTS if name.startswith("event_")] + ["user_record"]

_FIRST_DAYS = """
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

_IS_RELOADED = "delete from audit.reload_input where input_id in (select input_id from staging.reloaded_input)"

_COUNTS = "select table_name as name, sum(row_count) as size from staging.arrival group by table_name"


@contextmanager
def event_load(run: Run, url: str) -> Iterator[EventLoad | None]:
    """A load of events; waits while another run changes the warehouse.

    :param run: what the load belongs to.
    :returns: None where the run was published already.
    :raises EtlError: where PostgreSQL fails, as ``warehouse.explained`` says; noted in audit.run.
    """
    with alone(run, url) as connection:
        if not record_start(connection, run):
            log.info("The run %s is published already.", run.run_id)
            yield None
            return
        connection.commit()
        load_id = uuid.uuid4().hex
        staging.begin(connection, load_id, run, [])
        yield EventLoad(connection, run, url, load_id)
