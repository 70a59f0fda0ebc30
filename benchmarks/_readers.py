"""Analysts who ask without a pause while the warehouse changes, and what they were shown."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

import psycopg2

from etl.load.logins import add_login
from etl.warehouse import libpq_url

_MOST_PAUSE_SECONDS = 0.2
_LOOK_SECONDS = 0.05
_QUESTIONS = {
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
            - (select coalesce(sum(play_millionths), 0) from mart.listener_count where kind = 'hour' and year = 0)
    """,
    "catalogue": """
        select (select count(*) from warehouse.bridge_track_artist) - count(*)
        from warehouse.bridge_track_artist as b
        inner join warehouse.dim_track as t on t.track_key = b.track_key
        inner join warehouse.dim_artist as a on a.artist_key = b.artist_key
    """,
}
"""Each answers 0 whatever was published: places of charts have no hole, marts tell of the same plays, what a fact names
is there."""
_TOTALS = """
    select
        (select count(*) from warehouse.dim_track),
        (select count(*) from warehouse.fact_event),
        (select count(*) from mart.play),
        (select coalesce(sum(plays), 0)::bigint from mart.listener_day)
"""
_WAITING = """
    select coalesce(max(extract(epoch from clock_timestamp() - query_start)), 0)::float
    from pg_stat_activity
    where usename = %s and wait_event_type = 'Lock' and state = 'active'
"""


@dataclass
class Seen:
    """What analysts were shown, and how long they waited."""

    answers: int = 0
    halves: Counter[str] = field(default_factory=Counter)
    """Questions whose answer was not 0."""
    failures: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    totals: list[tuple[int, ...]] = field(default_factory=list)
    """Tracks, events, plays among them, plays in the marts: each as often as it changed."""
    longest_lock_s: float = 0.0


class Readers:
    """Analysts at work within a context."""

    def __init__(self, admin_url: str, count: int, seed: int) -> None:
        """
        :param admin_url: of the warehouse, as who may make logins.
        """
        self.seen = Seen()
        self._name = f"analyst_{seed}_{time.monotonic_ns()}"
        password = add_login(admin_url, "analyst", self._name)
        self._admin = libpq_url(admin_url)
        self._url = libpq_url(admin_url.replace(admin_url.split("//")[1].split("@")[0], f"{self._name}:{password}"))
        self._is_over, self._lock = Event(), Lock()
        self._threads = [Thread(target=self._ask, args=(random.Random(f"{seed} {n}"),)) for n in range(count)]
        self._threads += [Thread(target=self._watch_totals), Thread(target=self._watch_locks)]

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, draw: random.Random) -> None:
        while not self._is_over.is_set():
            name = draw.choice(sorted(_QUESTIONS))
            began = time.monotonic()
            answer = self._answer(name, _QUESTIONS[name])
            with self._lock:
                self.seen.seconds.setdefault(name, []).append(time.monotonic() - began)
                self.seen.answers += 1
                if answer is not None and answer[0]:
                    self.seen.halves[f"{name}: {answer[0]}"] += 1
            self._is_over.wait(draw.uniform(0, _MOST_PAUSE_SECONDS))

    def _watch_totals(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            answer = self._answer("totals", _TOTALS)
            if answer is not None and (not self.seen.totals or self.seen.totals[-1] != answer):
                self.seen.totals.append(answer)

    def _watch_locks(self) -> None:
        connection = psycopg2.connect(self._admin)
        connection.autocommit = True  # else it would see its first look again and again
        with connection.cursor() as cursor:
            while not self._is_over.wait(_LOOK_SECONDS):
                cursor.execute(_WAITING, (self._name,))
                self.seen.longest_lock_s = max(self.seen.longest_lock_s, cursor.fetchone()[0])
        connection.close()

    def _answer(self, name: str, question: str) -> tuple[int, ...] | None:
        """One row, by a connection of its own, as dashboards ask."""
        try:
            connection = psycopg2.connect(self._url)
            try:
                with connection, connection.cursor() as cursor:
                    cursor.execute(question)
                    return tuple(int(value) for value in cursor.fetchone())
            finally:
                connection.close()
        except psycopg2.Error as error:
            with self._lock:
                self.seen.failures[f"{name}: {str(error).splitlines()[0]}"] += 1
            return None
