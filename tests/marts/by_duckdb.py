"""The marts computed by another engine: the results of DuckDB on the star's tables, read as frames."""

from typing import Any

import duckdb
import pandas as pd

from etl.database import connect, fetch_rows

TABLES = {
    "event": "select event_id::text, event_time, ended_at, local_time, user_key, track_key, artist_key, ms_played,"
    " is_skipped, activity_type, device_type, country, continent, source from warehouse.fact_event",
    "dim_user": "select user_key, user_id, country as home, continent as home_continent, subscription_plan"
    " from warehouse.dim_user where user_key > 0",
    "track": "select track_key, recording_key, audio_features_type, track_id from warehouse.dim_track",
    "genre": "select b.track_key, g.genre, round(b.weight::numeric, 6)::float8 as weight"
    " from warehouse.bridge_track_genre as b inner join warehouse.dim_genre as g on g.genre_key = b.genre_key",
    "artist": "select artist_key, artist_id from warehouse.dim_artist",
    "exclusion": "select kind, id from warehouse.exclusion",
}

LISTENING_VIEWS = """
create view listened as
select
    e.*, u.user_id, cast(e.local_time as date) as day, coalesce(e.country, u.home) as place,
    case when e.country is null then u.home_continent else e.continent end as region,
    t.recording_key, r.track_id as recording_id, a.artist_id, u.subscription_plan,
    e.activity_type = 'PLAY'
    and (e.ms_played >= 30000 or e.ms_played is null and e.source = 'recently_played')
    and a.artist_id not in (select id from exclusion where kind = 'artist')
    and t.recording_key not in (
        select n.recording_key from exclusion as x inner join track as n on n.track_id = x.id where x.kind = 'track'
    ) as is_play
from event as e
inner join dim_user as u using (user_key)
inner join track as t using (track_key)
inner join track as r on r.track_key = t.recording_key
inner join artist as a using (artist_key)
where e.activity_type in ('PLAY', 'PAUSE', 'SKIP') and u.user_id not in (select id from exclusion where kind = 'user');

create view play as select * from listened where is_play;

create view year_play as
select *, year(day) as y from play
union all
select *, 0 from play;

create view session as
with paused as (
    select
        *, greatest(event_time, coalesce(ended_at, event_time)) as over_at,
        max(greatest(event_time, coalesce(ended_at, event_time))) over (
            partition by user_id order by event_time, event_id rows between unbounded preceding and 1 preceding
        ) as last_at
    from listened
), numbered as (
    select
        *, sum(case when last_at is null or event_time > last_at + interval 30 minutes then 1 else 0 end) over (
            partition by user_id order by event_time, event_id rows unbounded preceding
        ) as number
    from paused
)
select
    user_id, min(event_time) as started_at, max(over_at) as ended_at, count(*) as events,
    count(*) filter (where is_play) as plays, coalesce(sum(ms_played) filter (where is_play), 0) as ms_played,
    min(day) as local_date
from numbered
group by user_id, number;

create view streak as
select user_id, y, count(*) as days, min(day) as first_day
from (
    select user_id, y, day, day - row_number() over (partition by user_id, y order by day) :: integer as island
    from (select distinct user_id, y, day from year_play)
)
group by user_id, y, island;

create view chart_item as
select day, place, region, 'recording' as kind, recording_id as item, 1.0 as plays
from play where recording_key > 0
union all
select day, place, region, 'artist', artist_id, 1.0 from play where artist_key > 0
union all
select day, place, region, 'genre', genre, weight from play inner join genre using (track_key);
"""

DUCKDB_QUERIES = {
    "wrapped": """
        select p.user_id, p.y as year, floor(sum(coalesce(ms_played, 0)) / 60000) as minutes_played, count(*) as plays,
            count(distinct recording_key) filter (where recording_key > 0) as tracks,
            count(distinct artist_key) filter (where artist_key > 0) as artists,
            min(event_time) as first_play_at,
            (select max(days) from streak as s where s.user_id = p.user_id and s.y = p.y) as longest_streak_days,
            (
                select first_day from streak as s where s.user_id = p.user_id and s.y = p.y
                order by days desc, first_day limit 1
            ) as longest_streak_from,
            case when p.y > 0 then (
                select count(*) from (
                    select artist_key from play as q
                    where q.user_id = p.user_id and artist_key > 0 group by artist_key having year(min(day)) = p.y
                )
            ) / count(distinct artist_key) filter (where artist_key > 0) end as new_artist_share
        from year_play as p group by p.user_id, p.y order by 1, 2
    """,
    "wrapped_session": """
        select distinct on (user_id, y) user_id, y as year,
            date_diff('millisecond', started_at, ended_at) as longest_session_ms, started_at as longest_session_at
        from (
            select *, year(local_date) as y from session
            union all
            select *, 0 from session
        )
        where (user_id, year(local_date)) in (select user_id, y from year_play)
        order by user_id, y, longest_session_ms desc, started_at
    """,
    "wrapped_track": """
        select user_id, y as year, recording_id as item, count(*) as plays, sum(coalesce(ms_played, 0)) as ms_played
        from year_play where recording_key > 0 group by 1, 2, 3 order by 1, 2, 3
    """,
    "wrapped_artist": """
        select user_id, y as year, artist_id as item, count(*) as plays, sum(coalesce(ms_played, 0)) as ms_played
        from year_play where artist_key > 0 group by 1, 2, 3 order by 1, 2, 3
    """,
    "wrapped_genre": """
        select user_id, y as year, genre as item, round(sum(weight), 3) as plays
        from year_play inner join genre using (track_key) group by 1, 2, 3 order by 1, 2, 3
    """,
    "favourite_hour": """
        select user_id, year, hour from (
            select user_id, y as year, hour(local_time) as hour,
                row_number() over (partition by user_id, y order by count(*) desc, hour(local_time)) as place
            from year_play group by user_id, y, hour(local_time)
        ) where place = 1 order by 1, 2
    """,
    "top_cluster": """
        select distinct on (user_id, y) user_id, y as year, t.audio_features_type :: integer
        from year_play inner join track as t using (track_key)
        where t.audio_features_type is not null
        group by user_id, y, t.audio_features_type order by user_id, y, count(*) desc, t.audio_features_type
    """,
    "charts": """
        select period, cast(date_trunc(period, day) as date) as period_start, place_kind, place, kind, item,
            round(sum(plays), 3) as plays
        from (
            select day, 'country' as place_kind, place, kind, item, plays from chart_item
            union all
            select day, 'continent', region, kind, item, plays from chart_item
        ) cross join (select unnest(['day', 'week', 'month', 'year']) as period)
        where place is not null group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
    """,
    "artist_audience": """
        select artist_id, cast(date_trunc('week', day) as date) as week_start, count(*) as plays,
            sum(coalesce(ms_played, 0)) as ms_played,
            count(distinct user_id) as listeners, count(distinct user_id) filter (
                where date_trunc('week', day) = date_trunc('week', first_day)
            ) as new_listeners
        from play inner join (
            select user_id, artist_id, min(day) as first_day from play group by 1, 2
        ) using (user_id, artist_id)
        where artist_key > 0 group by 1, 2 order by 1, 2
    """,
    "artist_countries": """
        select artist_id, coalesce(place, 'unknown') as country, count(*) as plays, count(distinct user_id) as listeners
        from play where artist_key > 0 group by 1, 2 order by 1, 2
    """,
    "artist_tracks": """
        select artist_id, recording_id, count(*) as plays, sum(coalesce(ms_played, 0)) as ms_played
        from play where artist_key > 0 and recording_key > 0 group by 1, 2 order by 1, 2
    """,
    "sessions": "select user_id, started_at, ended_at, events, plays, ms_played, local_date from session order by 1, 2",
    "engagement": """
        select day as local_date, coalesce(subscription_plan, 'unknown') as plan,
            coalesce(region, 'unknown') as continent, coalesce(device_type, 'unknown') as device,
            count(distinct user_id) filter (where is_play) as users,
            count(*) filter (where is_play) as plays, count(*) filter (where is_skipped) as skips,
            coalesce(sum(ms_played) filter (where is_play), 0) as ms_played
        from listened group by 1, 2, 3, 4 having users + plays + skips > 0 order by 1, 2, 3, 4
    """,
    "sessions_a_day": "select local_date, count(*) as sessions from session group by 1 order by 1",
    "active": """
        select d.day as local_date,
            (select count(distinct user_id) from play as p where p.day = d.day) as daily,
            (select count(distinct user_id) from play as p where p.day between d.day - 6 and d.day) as weekly,
            (select count(distinct user_id) from play as p where p.day between d.day - 29 and d.day) as monthly
        from (
            select cast(unnest(generate_series(min(day), max(day), interval 1 day)) as date) as day from play
        ) as d where monthly > 0 order by 1
    """,
    "retention": """
        select cast(date_trunc('week', first_day) as date) as cohort_week,
            cast(date_trunc('week', day) as date) as week_start, count(distinct user_id) as users
        from play inner join (select user_id, min(day) as first_day from play group by 1) using (user_id)
        group by 1, 2 order by 1, 2
    """,
}
"""The queries by topic; ``MART_QUERIES`` reads the same results from the marts."""

MART_QUERIES = {
    "wrapped": "select user_id, year, minutes_played, plays, tracks, artists, first_play_at, longest_streak_days,"
    " longest_streak_from, new_artist_share from mart.wrapped order by 1, 2",
    "wrapped_session": "select user_id, year, longest_session_ms, longest_session_at from mart.wrapped order by 1, 2",
    "wrapped_track": "select user_id, year, recording_id, plays, ms_played from mart.wrapped_track"
    ' order by 1, 2, recording_id collate "C"',
    "wrapped_artist": "select user_id, year, artist_id, plays, ms_played from mart.wrapped_artist order by 1, 2, 3",
    "wrapped_genre": "select user_id, year, genre, round(plays, 3) from mart.wrapped_genre order by 1, 2, 3",
    "favourite_hour": "select user_id, year, favourite_hour from mart.wrapped order by 1, 2",
    "top_cluster": "select user_id, year, top_audio_features_type from mart.wrapped"
    " where top_audio_features_type is not null order by 1, 2",
    "charts": "select period, period_start, place_kind, place, kind, item_id, round(plays, 3)"
    ' from mart.top_by_continent order by period, period_start, place_kind, place, kind, item_id collate "C"',
    "artist_audience": "select artist_id, week_start, plays, ms_played, listeners, new_listeners"
    " from mart.artist_audience order by 1, 2",
    "artist_countries": "select artist_id, country, plays, listeners from mart.artist_audience_country order by 1, 2",
    "artist_tracks": "select artist_id, recording_id, plays, ms_played from mart.artist_audience_track"
    ' order by artist_id, recording_id collate "C"',
    "sessions": "select user_id, started_at, ended_at, events, plays, ms_played, local_date"
    " from mart.listening_session order by 1, 2",
    "engagement": "select local_date, subscription_plan, continent, device_type, users, plays, skips, ms_played"
    " from mart.daily_engagement where users + plays + skips > 0 order by 1, 2, 3, 4",
    "sessions_a_day": "select local_date, sum(sessions)::bigint as sessions from mart.daily_engagement"
    " group by 1 having sum(sessions) > 0 order by 1",
    "active": "select local_date, daily_users, weekly_users, monthly_users from mart.active_users order by 1",
    "retention": "select cohort_week, week_start, users from mart.retention order by 1, 2",
}


def query_duckdb(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the result of each query in DuckDB, from the star alone."""
    with connect(url) as connection:
        frames = {name: pd.DataFrame(fetch_rows(connection, query)) for name, query in TABLES.items()}
    frames["exclusion"] = frames["exclusion"].reindex(columns=["kind", "id"]).astype("string")
    with duckdb.connect() as engine:
        engine.execute("set timezone = 'UTC'")
        for name, frame in frames.items():
            engine.register(f"{name}_frame", frame)
            engine.execute(f"create table {name} as select * from {name}_frame")
        engine.execute(LISTENING_VIEWS)
        return {name: _sort_values(engine.execute(query).fetchall()) for name, query in DUCKDB_QUERIES.items()}


def query_marts(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the results of the same queries on the marts."""
    with connect(url) as connection:
        rows_by_query = {name: fetch_rows(connection, query) for name, query in MART_QUERIES.items()}
    return {name: _sort_values(tuple(row.values()) for row in rows) for name, rows in rows_by_query.items()}


def _sort_values(rows: Any) -> list[tuple[Any, ...]]:
    return [tuple(_convert_value(value) for value in row) for row in rows]


def _convert_value(value: Any) -> Any:
    if isinstance(value, int | str) or value is None:
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return round(float(value), 3)
