"""The live tables: schema live, what listeners and artists see of it, and differences from the star."""

from alembic import op

revision = "0004_live"
down_revision = "0003_anomalies"

_STATEMENTS = """
create schema live;

create table audit.live_difference (
    checked_at timestamptz not null,
    hour_start timestamptz not null,
    live_events bigint not null,
    star_events bigint not null,
    user_id text collate "C" not null,
    track_id text collate "C" not null,
    activity_type text not null,
    generation text not null,
    constraint live_difference_pkey primary key (hour_start, user_id, track_id, activity_type)
);

create table live.active_listener (
    minute_start timestamptz not null,
    partition smallint not null,
    continent text collate "C" not null,
    user_id text collate "C" not null,
    constraint active_listener_pkey primary key (partition, minute_start, continent, user_id)
);

create table live.active_minute (
    minute_start timestamptz not null,
    events bigint not null,
    late_events bigint not null,
    listeners integer not null,
    continent text collate "C" not null,
    constraint active_minute_pkey primary key (minute_start, continent)
) with (fillfactor = 80);

create table live.artist_hour (
    hour_start timestamptz not null,
    ms_played bigint not null,
    late_ms_played bigint not null,
    plays integer not null,
    late_plays integer not null,
    artist_id text collate "C" not null,
    country text collate "C" not null,
    constraint artist_hour_pkey primary key (artist_id, hour_start, country)
) with (fillfactor = 80);

create table live.continent_hour (
    hour_start timestamptz not null,
    ms_played bigint not null,
    late_ms_played bigint not null,
    plays integer not null,
    late_plays integer not null,
    continent text collate "C" not null,
    track_id text collate "C" not null,
    constraint continent_hour_pkey primary key (hour_start, continent, track_id)
) with (fillfactor = 80);

create table live.track (
    track_id text collate "C" not null,
    track_name text,
    artist_id text collate "C" not null,
    artist_name text,
    genre text not null,
    constraint track_pkey primary key (track_id)
);

create index track_artist_id_idx on live.track (artist_id);

create table live.batch (
    batch_id bigint not null,
    events bigint not null,
    committed_at timestamptz not null,
    query_id uuid not null,
    next_offsets bigint[] not null,
    rejected_messages bigint[] not null,
    constraint batch_pkey primary key (query_id, batch_id),
    constraint batch_events_not_negative check (events >= 0)
);

create table live.progress (
    partition smallint not null,
    next_offset bigint not null,
    accepted_events bigint not null,
    duplicate_events bigint not null,
    late_events bigint not null,
    rejected_messages bigint not null,
    lost_messages bigint not null,
    last_offset bigint,
    watermark timestamptz,
    complete_from timestamptz not null,
    updated_at timestamptz not null,
    continent text not null,
    generation text not null,
    constraint progress_pkey primary key (partition),
    constraint progress_counts_not_negative check (
        accepted_events >= 0
        and duplicate_events >= 0
        and late_events >= 0
        and rejected_messages >= 0
        and lost_messages >= 0
    )
);

create table live.published_artist_hour (
    hour_start timestamptz not null,
    plays integer not null,
    artist_id text collate "C" not null,
    divided_by text not null,
    item_id text collate "C" not null,
    constraint published_artist_hour_pkey primary key (artist_id, hour_start, divided_by, item_id),
    constraint published_artist_hour_division_known check (divided_by in ('nothing', 'track', 'country'))
);

create table live.user_hour (
    hour_start timestamptz not null,
    batch_id bigint not null,
    ms_played bigint not null,
    late_ms_played bigint not null,
    events integer not null,
    late_events integer not null,
    plays integer not null,
    late_plays integer not null,
    partition smallint not null,
    activity_type text not null,
    country text collate "C" not null,
    user_id text collate "C" not null,
    track_id text collate "C" not null
);

create index user_hour_user_id_idx on live.user_hour (user_id, hour_start);
create index user_hour_hour_start_idx on live.user_hour using brin (hour_start) with (pages_per_range = 16);

create view live.artist_country as
select
    a.artist_id,
    p.period,
    date_trunc(p.period, a.hour_start, 'UTC') as period_start,
    a.country,
    sum(a.plays)::bigint as plays,
    sum(a.late_plays)::bigint as late_plays,
    sum(a.ms_played + a.late_ms_played)::bigint as ms_played
from (values ('hour'), ('day')) as p (period)
cross join live.artist_hour as a
group by a.artist_id, p.period, date_trunc(p.period, a.hour_start, 'UTC'), a.country;

create view live.artist_track as
select
    t.artist_id,
    p.period,
    date_trunc(p.period, c.hour_start, 'UTC') as period_start,
    t.track_id,
    t.track_name,
    sum(c.plays)::bigint as plays,
    sum(c.late_plays)::bigint as late_plays,
    sum(c.ms_played + c.late_ms_played)::bigint as ms_played
from (values ('hour'), ('day')) as p (period)
cross join live.continent_hour as c
inner join live.track as t on t.track_id = c.track_id
group by t.artist_id, p.period, date_trunc(p.period, c.hour_start, 'UTC'), t.track_id, t.track_name;

create view live.top_by_continent as
with place_track as (
    select
        p.period,
        date_trunc(p.period, c.hour_start, 'UTC') as period_start,
        c.continent,
        c.track_id,
        sum(c.plays) as plays,
        sum(c.late_plays) as late_plays,
        sum(c.ms_played + c.late_ms_played) as ms_played
    from (values ('hour'), ('day')) as p (period)
    cross join live.continent_hour as c
    group by p.period, date_trunc(p.period, c.hour_start, 'UTC'), c.continent, c.track_id
),

item as (
    select
        p.period,
        p.period_start,
        p.continent,
        k.kind,
        k.item_id,
        min(k.name) as name,
        min(k.artist_name) as artist_name,
        sum(p.plays)::bigint as plays,
        sum(p.late_plays)::bigint as late_plays,
        sum(p.ms_played)::bigint as ms_played
    from place_track as p
    inner join live.track as t on t.track_id = p.track_id
    cross join lateral (
        values
            ('recording', t.track_id, t.track_name, t.artist_name),
            ('artist', t.artist_id, t.artist_name, null),
            ('genre', t.genre, t.genre, null)
    ) as k (kind, item_id, name, artist_name)
    where k.item_id <> ''
    group by p.period, p.period_start, p.continent, k.kind, k.item_id
),

ranked as (
    select
        i.*,
        row_number() over (
            partition by i.period, i.period_start, i.continent, i.kind order by i.plays + i.late_plays desc, i.item_id
        )::integer as rank
    from item as i
)

select period, period_start, continent, kind, rank, item_id, name, artist_name, plays, late_plays, ms_played
from ranked
where rank <= 100;

create view live.top_by_user as
with user_track as (
    select
        p.period,
        date_trunc(p.period, u.hour_start, 'UTC') as period_start,
        u.user_id,
        u.track_id,
        sum(u.plays) as plays,
        sum(u.late_plays) as late_plays,
        sum(u.ms_played + u.late_ms_played) as ms_played
    from (values ('hour'), ('day')) as p (period)
    cross join live.user_hour as u
    where u.plays + u.late_plays > 0
    group by p.period, date_trunc(p.period, u.hour_start, 'UTC'), u.user_id, u.track_id
),

item as (
    select
        p.period,
        p.period_start,
        p.user_id,
        k.kind,
        k.item_id,
        min(k.name) as name,
        min(k.artist_name) as artist_name,
        sum(p.plays)::bigint as plays,
        sum(p.late_plays)::bigint as late_plays,
        sum(p.ms_played)::bigint as ms_played
    from user_track as p
    inner join live.track as t on t.track_id = p.track_id
    cross join lateral (
        values
            ('recording', t.track_id, t.track_name, t.artist_name),
            ('artist', t.artist_id, t.artist_name, null),
            ('genre', t.genre, t.genre, null)
    ) as k (kind, item_id, name, artist_name)
    where k.item_id <> ''
    group by p.period, p.period_start, p.user_id, k.kind, k.item_id
)

select
    i.user_id,
    i.period,
    i.period_start,
    i.kind,
    row_number() over (
        partition by i.user_id, i.period, i.period_start, i.kind order by i.plays + i.late_plays desc, i.item_id
    )::integer as rank,
    i.item_id,
    i.name,
    i.artist_name,
    i.plays,
    i.late_plays,
    i.ms_played
from item as i;

create view mart.my_artist_live_hour with (security_barrier) as
select p.hour_start, p.divided_by, nullif(p.item_id, '') as item_id, t.track_name, p.plays
from live.published_artist_hour as p
left join live.track as t on p.divided_by = 'track' and t.track_id = p.item_id
where p.artist_id = (select s.artist_id from audit.signed_in as s);

create view mart.my_live_top with (security_barrier) as
select t.*
from live.top_by_user as t
where t.user_id = (select s.user_id from audit.signed_in as s);
"""


def upgrade() -> None:
    """Create the tables and views; their comments and rights are set at the end of every migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
