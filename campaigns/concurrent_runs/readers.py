"""Analysts who query without a pause while the warehouse changes, and their observations."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

import psycopg2

from etl.database import libpq_url
from etl.load.access.logins import add_login

_MAX_PAUSE_SECONDS = 0.2
_POLL_SECONDS = 0.05
_INVARIANT_QUERIES = {
    "charts": """
        select count(*) filter (where not is_in_place)
        from (
            select rank = row_number() over (
                partition by place_kind, place, period, period_start, kind order by rank
            ) as is_in_place
            from mart.top_by_continent
            where kind = 'artist' and period in ('month', 'year')
        ) as charted
    """,
    "wrapped": """
        select (select coalesce(sum(plays), 0) from mart.wrapped where year = 0)
            - (select coalesce(sum(plays), 0) from mart.listener_day)
    """,
    "events": """
        select (select count(*) from warehouse.fact_event) - count(*) filter (
            where e.user_key is not null and t.track_key is not null and a.artist_key is not null
                and c.context_key is not null and p.playlist_key is not null
        )
        from warehouse.fact_event as f
        left join warehouse.dim_user as e on e.user_key = f.user_key
        left join warehouse.dim_artist as a on a.artist_key = f.artist_key
        left join warehouse.dim_track as t on t.track_key = f.track_key
        left join warehouse.dim_play_context as c on c.context_key = f.context_key
        left join warehouse.dim_playlist as p on p.playlist_key = f.playlist_key
    """,
    "event_wide": """
        select (select count(*) from warehouse.fact_event) - count(user_id) from mart.event_wide
    """,
    "hours": """
        select (select coalesce(sum(plays), 0) from mart.listener_day) * 1000000
            - (
                select coalesce(sum(plays), 0)
                from mart.listener_count
                cross join lateral unnest(play_millionths) as c (plays)
                where kind = 'hour'
            )
    """,
    "catalogue": """
        select (select count(*) from warehouse.bridge_track_artist) - count(*)
        from warehouse.bridge_track_artist as b
        inner join warehouse.dim_track as t on t.track_key = b.track_key
        inner join warehouse.dim_artist as a on a.artist_key = b.artist_key
    """,
}
"""Each returns 0 for any published state: ranks of charts have no gap, marts agree on the plays, and the keys of facts
exist."""
_TOTALS_QUERY = """
    select
        (select count(*) from warehouse.dim_track),
        (select count(*) from warehouse.fact_event),
        (select count(*) from mart.play),
        (select coalesce(sum(plays), 0)::bigint from mart.listener_day)
"""
_LOCK_WAIT_QUERY = """
    select coalesce(max(extract(epoch from clock_timestamp() - query_start)), 0)::float
    from pg_stat_activity
    where usename = %s and wait_event_type = 'Lock' and state = 'active'
"""


@dataclass
class ReaderObservations:
    """The query results of analysts, and their waiting times."""

    query_count: int = 0
    violations: Counter[str] = field(default_factory=Counter)
    """Queries with a result other than 0."""
    failures: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    totals: list[tuple[int, ...]] = field(default_factory=list)
    """Tracks, events, plays among them, plays in the marts: a new entry for each change."""
    longest_lock_s: float = 0.0


class ConcurrentReaders:
    """Analysts that query while the context is open."""

    def __init__(self, admin_url: str, count: int, seed: int) -> None:
        """Prepare ``count`` analysts.

        :param admin_url: the URL of the warehouse for a role that may create logins.
        """
        self.observations = ReaderObservations()
        self._name = f"analyst_{seed}_{time.monotonic_ns()}"
        password = add_login(admin_url, "analyst", self._name)
        self._admin = libpq_url(admin_url)
        self._url = libpq_url(admin_url.replace(admin_url.split("//")[1].split("@")[0], f"{self._name}:{password}"))
        self._is_over, self._lock = Event(), Lock()
        self._threads = [
            Thread(target=self._query_repeatedly, args=(random.Random(f"{seed} {n}"),)) for n in range(count)
        ]
        self._threads += [Thread(target=self._watch_totals), Thread(target=self._watch_locks)]

    def __enter__(self) -> "ConcurrentReaders":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _query_repeatedly(self, rng: random.Random) -> None:
        while not self._is_over.is_set():
            name = rng.choice(sorted(_INVARIANT_QUERIES))
            began = time.monotonic()
            row = self._query_once(name, _INVARIANT_QUERIES[name])
            with self._lock:
                self.observations.seconds.setdefault(name, []).append(time.monotonic() - began)
                self.observations.query_count += 1
                if row is not None and row[0]:
                    self.observations.violations[f"{name}: {row[0]}"] += 1
            self._is_over.wait(rng.uniform(0, _MAX_PAUSE_SECONDS))

    def _watch_totals(self) -> None:
        while not self._is_over.wait(_POLL_SECONDS):
            row = self._query_once("totals", _TOTALS_QUERY)
            if row is not None and (not self.observations.totals or self.observations.totals[-1] != row):
                self.observations.totals.append(row)

    def _watch_locks(self) -> None:
        connection = psycopg2.connect(self._admin)
        connection.autocommit = True  # else a reader would see its first snapshot again and again
        with connection.cursor() as cursor:
            while not self._is_over.wait(_POLL_SECONDS):
                cursor.execute(_LOCK_WAIT_QUERY, (self._name,))
                self.observations.longest_lock_s = max(self.observations.longest_lock_s, cursor.fetchone()[0])
        connection.close()

    def _query_once(self, name: str, query: str) -> tuple[int, ...] | None:
        """Fetch one row over a connection of its own, as dashboards do."""
        try:
            connection = psycopg2.connect(self._url)
            try:
                with connection, connection.cursor() as cursor:
                    cursor.execute(query)
                    return tuple(int(value) for value in cursor.fetchone())
            finally:
                connection.close()
        except psycopg2.Error as error:
            with self._lock:
                self.observations.failures[f"{name}: {str(error).splitlines()[0]}"] += 1
            return None
