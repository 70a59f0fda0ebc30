"""Rows of the live tables, of the checks of the streams, and of findings, as of now."""

from sqlalchemy import Connection

_ROWS = """
insert into live.progress (
    partition, next_offset, accepted_events, duplicate_events, late_events, rejected_messages, lost_messages, watermark,
    complete_from, updated_at, continent, generation
)
select
    n - 1, 1000 * n, 900 * n, 2, n, 3, 0, now() - make_interval(mins => 11 + 60 * (n % 2)::integer),
    '-infinity', now(),
    c.continent, 'v1-topic'
from unnest(array['Africa', 'Antarctica', 'Asia', 'Europe', 'North America', 'Oceania', 'South America'])
    with ordinality as c (continent, n);

insert into live.active_minute (minute_start, events, late_events, listeners, continent)
select date_trunc('minute', now()) - make_interval(mins => m), 600 + 10 * m, 3, 40 + m, c.continent
from generate_series(0, 300) as m
cross join unnest(array['Africa', 'Asia', 'Europe']) as c (continent);

insert into live.track (track_id, track_name, artist_id, artist_name, genre)
select 'track' || n, 'Live Song ' || n, 'a' || n % 3, 'Live Artist ' || n % 3, 'genre ' || n % 2
from generate_series(1, 12) as n;

insert into live.continent_hour (hour_start, ms_played, late_ms_played, plays, late_plays, continent, track_id)
select date_trunc('hour', now(), 'UTC') - make_interval(hours => h), 60000, 0, 100 * n, 1, c.continent, 'track' || n
from generate_series(0, 3) as h
cross join generate_series(1, 12) as n
cross join unnest(array['Africa', 'Asia', 'Europe']) as c (continent);

insert into live.user_hour (
    hour_start, batch_id, ms_played, late_ms_played, events, late_events, plays, late_plays, partition, activity_type,
    user_id, country, track_id
)
select date_trunc('hour', now(), 'UTC'), 1, 180000 * n, 0, n, 0, n, 0, 3, 'PLAY', u.user_id, 'DE', 'track' || n
from generate_series(1, 4) as n
cross join unnest(array['u1', 'u2']) as u (user_id);

insert into live.published_artist_hour (hour_start, plays, artist_id, divided_by, item_id)
select date_trunc('hour', now(), 'UTC') - make_interval(hours => h), p.plays + 5 * h, 'a1', p.divided_by, p.item_id
from generate_series(1, 5) as h
cross join (
    values (40, 'nothing', ''), (25, 'country', 'DE'), (15, 'country', ''), (40, 'track', 'track1')
) as p (plays, divided_by, item_id);

insert into audit.stream_check (checked_at, value, is_passed, check_name, run_id, message, details) values
    (now(), 77, true, 'landing_lag', 'w', 'The lag is 77 messages.', '{"3": 77}'),
    (now(), 5, true, 'live_lag', 'w', 'The lag is 5 messages.', '{"3": 5}'),
    (now(), 120, false, 'dead_letters', 'w', '120 messages were rejected since the last check.', '{}');

insert into mart.anomaly (
    user_id, rule, window_start, window_end, reason, score, combined_score, detected_at, source
) values
    (
        'u1', 'overlapping_plays', now() - interval '1 hour', now(), '9 plays overlap for 31 minutes.', 0.6, 0.8,
        now(), 'stream'
    ),
    (
        'u1', 'impossible_travel', now() - interval '1 hour', now(), 'DE and BR in 12 minutes.', 0.5, 0.8, now(),
        'stream'
    ),
    ('u2', 'sudden_change', now() - interval '1 day', now(), '41 plays, usually 3.', 0.3, 0.3, now(), 'nightly');
"""


def fill_live_tables(connection: Connection) -> None:
    """Insert some hours of three continents, a failed check and three findings of two users."""
    connection.exec_driver_sql(_ROWS, execution_options={"no_parameters": True})
