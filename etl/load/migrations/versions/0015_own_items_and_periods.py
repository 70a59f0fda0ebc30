"""What each user has played, with the ids to leave it out by; cheaper periods; active users by segment."""

from alembic import op

revision = "0015_own_items_and_periods"
down_revision = "0014_forecast_refusals"

_STATEMENTS = r"""
-- One branch for each kind, so that a query for one kind reads the user's events once.
create view mart.played_item as
select
    u.user_id,
    'playlist' as kind,
    p.playlist_id as item_id,
    p.name,
    null::text as artist_name,
    count(*) as plays
from warehouse.dim_user as u
inner join warehouse.fact_event as e on e.user_key = u.user_key and e.activity_type = 'PLAY'
inner join warehouse.dim_playlist as p on p.playlist_key = e.playlist_key and p.playlist_key > 0
group by u.user_id, p.playlist_id, p.name
union all
select
    u.user_id,
    'platform',
    c.platform,
    c.platform,
    null::text,
    count(*)
from warehouse.dim_user as u
inner join warehouse.fact_event as e on e.user_key = u.user_key and e.activity_type = 'PLAY'
inner join warehouse.dim_play_context as c on c.context_key = e.context_key and c.context_key > 0
where c.platform is not null
group by u.user_id, c.platform
union all
select
    u.user_id,
    'artist',
    a.artist_id,
    a.name,
    null::text,
    count(*)
from warehouse.dim_user as u
inner join warehouse.fact_event as e on e.user_key = u.user_key and e.activity_type = 'PLAY'
inner join warehouse.dim_artist as a on a.artist_key = e.artist_key and a.artist_key > 0
group by u.user_id, a.artist_id, a.name
union all
select
    t.user_id,
    'track',
    d.track_id,
    d.name,
    a.name,
    t.plays
from (
    select u.user_id, e.track_key, min(e.artist_key) as artist_key, count(*) as plays
    from warehouse.dim_user as u
    inner join warehouse.fact_event as e on e.user_key = u.user_key and e.activity_type = 'PLAY'
    where e.track_key > 0
    group by u.user_id, e.track_key
) as t
inner join warehouse.dim_track as d on d.track_key = t.track_key
left join warehouse.dim_artist as a on a.artist_key = t.artist_key and a.artist_key > 0;

create view mart.my_played_item with (security_barrier) as
select i.*
from mart.played_item as i
where i.user_id = (select s.user_id from audit.signed_in as s);

-- Genres cost a look-up for each track. Those of whole months are counted already, so that only the plays of months
-- that the period cuts are looked up.
create function mart.period_genre(user_id text, first_date date, last_date date)
returns table (genre_key integer, play_millionths bigint, ms_millionths bigint)
language sql
stable parallel safe
as $$
    with month as (
        select
            case when m.first_month < m.end_month then m.first_month else period_genre.last_date + 1 end as first_month,
            case when m.first_month < m.end_month then m.end_month else period_genre.last_date + 1 end as end_month
        from (
            select
                (date_trunc('month', (period_genre.first_date - 1)::timestamp) + interval '1 month')::date
                    as first_month,
                date_trunc('month', (period_genre.last_date + 1)::timestamp)::date as end_month
        ) as m
    ),

    cut_track as (
        select p.track_key, count(*) as plays, sum(p.ms_played) as ms_played
        from month as m
        cross join lateral (
            values (period_genre.first_date, m.first_month - 1), (m.end_month, period_genre.last_date)
        ) as c (first_date, last_date)
        cross join lateral mart.period_play(period_genre.user_id, c.first_date, c.last_date) as p
        where p.track_key > 0
        group by p.track_key
    ),

    counted as (
        select i.genre_key, i.play_millionths, i.ms_millionths
        from month as m
        inner join mart.listener_count as c
            on c.listener_key = (
                select l.listener_key from mart.listener as l where l.user_id = period_genre.user_id
            )
            and c.kind = 'genre'
            and c.month_start >= m.first_month
            and c.month_start < m.end_month
        cross join lateral unnest(c.item_keys, c.play_millionths, c.ms_millionths)
            as i (genre_key, play_millionths, ms_millionths)
        union all
        select g.genre_key, t.plays * g.weight_millionths, t.ms_played * g.weight_millionths
        from cut_track as t
        inner join mart.counted_track_genre as g on g.track_key = t.track_key
    )

    select c.genre_key, sum(c.play_millionths)::bigint, sum(c.ms_millionths)::bigint
    from counted as c
    group by c.genre_key
$$;

create or replace function mart.period_top(
    user_id text,
    first_date date,
    last_date date,
    earlier_first_date date default null,
    earlier_last_date date default null
)
returns table (
    kind text,
    rank bigint,
    item_id text,
    name text,
    artist_name text,
    plays numeric,
    ms_played bigint,
    earlier_rank bigint,
    earlier_plays numeric
)
language sql
stable parallel safe
as $$
    with play as (
        select p.track_key, p.artist_key, true as is_now, p.ms_played
        from mart.period_play(period_top.user_id, period_top.first_date, period_top.last_date) as p
        union all
        select p.track_key, p.artist_key, false, 0
        from mart.period_play(period_top.user_id, period_top.earlier_first_date, period_top.earlier_last_date) as p
    ),

    -- Everything but genres is added up from these few rows, whatever the number of plays.
    played as materialized (
        select
            p.track_key, p.artist_key, count(*) filter (where p.is_now)::integer as plays,
            sum(p.ms_played)::double precision as ms_played,
            count(*) filter (where not p.is_now)::integer as earlier_plays
        from play as p
        group by p.track_key, p.artist_key
    ),

    track as materialized (
        select p.track_key, d.recording_key, d.album_key, p.plays, p.ms_played, p.earlier_plays
        from (
            -- In the order of the keys, neighbours are read from the same pages.
            select b.* from played as b where b.track_key > 0 order by b.track_key
            offset 0
        ) as p
        inner join warehouse.dim_track as d on d.track_key = p.track_key
    ),

    genre as (
        select
            g.genre_key, g.play_millionths as plays, g.ms_millionths::double precision as ms_played,
            0::bigint as earlier_plays
        from mart.period_genre(period_top.user_id, period_top.first_date, period_top.last_date) as g
        union all
        select g.genre_key, 0, 0, g.play_millionths
        from mart.period_genre(period_top.user_id, period_top.earlier_first_date, period_top.earlier_last_date) as g
    ),

    -- By plays, of equals the smallest key first: as one number, because tens of thousands of rows are sorted. Sums of
    -- double precision are exact below 2^53 ms, and cost less than those of numeric.
    top_track as (
        select 1 as kind_number, w.*
        from (
            select c.*, row_number() over (order by c.earlier_order desc) as earlier_rank
            from (
                select
                    t.recording_key as item_key, sum(t.plays) as plays, sum(t.ms_played) as ms_played,
                    sum(t.earlier_plays) as earlier_plays, (sum(t.plays) << 32) - t.recording_key as play_order,
                    (sum(t.earlier_plays) << 32) - t.recording_key as earlier_order
                from track as t
                where t.recording_key > 0
                group by t.recording_key
            ) as c
        ) as w
        where w.plays > 0
        order by w.play_order desc
        limit 100
    ),

    top_album as (
        select 2 as kind_number, w.*
        from (
            select c.*, row_number() over (order by c.earlier_order desc) as earlier_rank
            from (
                select
                    t.album_key as item_key, sum(t.plays) as plays, sum(t.ms_played) as ms_played,
                    sum(t.earlier_plays) as earlier_plays, (sum(t.plays) << 32) - t.album_key as play_order,
                    (sum(t.earlier_plays) << 32) - t.album_key as earlier_order
                from track as t
                where t.album_key > 0
                group by t.album_key
            ) as c
        ) as w
        where w.plays > 0
        order by w.play_order desc
        limit 100
    ),

    top_artist as (
        select 3 as kind_number, w.*
        from (
            select c.*, row_number() over (order by c.earlier_order desc) as earlier_rank
            from (
                select
                    p.artist_key as item_key, sum(p.plays) as plays, sum(p.ms_played) as ms_played,
                    sum(p.earlier_plays) as earlier_plays, (sum(p.plays) << 32) - p.artist_key as play_order,
                    (sum(p.earlier_plays) << 32) - p.artist_key as earlier_order
                from played as p
                where p.artist_key > 0
                group by p.artist_key
            ) as c
        ) as w
        where w.plays > 0
        order by w.play_order desc
        limit 100
    ),

    -- Plays of genres are millionths.
    top_genre as (
        select 4 as kind_number, w.*
        from (
            select c.*, row_number() over (order by c.earlier_plays desc, c.item_key) as earlier_rank
            from (
                select
                    g.genre_key as item_key, sum(g.plays)::bigint as plays, sum(g.ms_played) as ms_played,
                    sum(g.earlier_plays)::bigint as earlier_plays
                from genre as g
                group by g.genre_key
            ) as c
        ) as w
        where w.plays > 0
        order by w.plays desc, w.item_key
        limit 100
    ),

    leader as materialized (
        select
            t.*,
            row_number() over (partition by t.kind_number order by t.plays desc, t.item_key) as rank
        from (
            select kind_number, item_key, plays, ms_played, earlier_plays, earlier_rank from top_track
            union all
            select kind_number, item_key, plays, ms_played, earlier_plays, earlier_rank from top_album
            union all
            select kind_number, item_key, plays, ms_played, earlier_plays, earlier_rank from top_artist
            union all
            select kind_number, item_key, plays, ms_played, earlier_plays, earlier_rank from top_genre
        ) as t
    ),

    -- Shows have no key. They are ranked by time, because an episode may last minutes or hours.
    spoken as (
        select
            coalesce(s.show_name, s.spoken_name, s.spoken_id) as show,
            max(coalesce(s.show_name, s.spoken_name)) as name,
            count(*) filter (where m.is_now) as plays,
            coalesce(sum(s.ms_played::bigint) filter (where m.is_now), 0)::bigint as ms_played,
            count(*) filter (where not m.is_now) as earlier_plays,
            coalesce(sum(s.ms_played::bigint) filter (where not m.is_now), 0)::bigint as earlier_ms_played
        from (
            values
            (true, period_top.first_date, period_top.last_date),
            (false, period_top.earlier_first_date, period_top.earlier_last_date)
        ) as m (is_now, first_date, last_date)
        inner join mart.spoken_play as s
            on s.event_time >= (m.first_date - 2)::timestamptz
            and s.event_time < (m.last_date + 3)::timestamptz
            and s.local_date between m.first_date and m.last_date
        where s.user_id = period_top.user_id
        group by 1
    ),

    album_track as (
        select distinct on (t.album_key) t.album_key, t.track_key
        from (
            select t.album_key, t.track_key, sum(t.plays) as plays
            from track as t
            where t.album_key in (select n.item_key from leader as n where n.kind_number = 2)
            group by t.album_key, t.track_key
        ) as t
        order by t.album_key, t.plays desc, t.track_key
    )

    select
        (array['track', 'album', 'artist', 'genre'])[n.kind_number],
        n.rank,
        i.item_id,
        i.name,
        case when n.kind_number = 3 then i.name else f.name end,
        n.plays / u.units,
        floor(n.ms_played / u.units)::bigint,
        case when n.earlier_plays > 0 then n.earlier_rank end,
        nullif(n.earlier_plays, 0) / u.units
    from leader as n
    left join album_track as h on n.kind_number = 2 and h.album_key = n.item_key
    cross join lateral (select case when n.kind_number = 4 then 1000000::numeric else 1::numeric end as units) as u
    -- Of the four branches one is read for each row, by the key: never a whole table.
    cross join lateral (
        select t.track_id as item_id, t.name, t.track_key
        from warehouse.dim_track as t
        where n.kind_number = 1 and t.track_key = n.item_key
        union all
        select b.album_id, b.name, h.track_key
        from warehouse.dim_album as b
        where n.kind_number = 2 and b.album_key = n.item_key
        union all
        select a.artist_id, a.name, null
        from warehouse.dim_artist as a
        where n.kind_number = 3 and a.artist_key = n.item_key
        union all
        select g.genre, g.genre, null
        from warehouse.dim_genre as g
        where n.kind_number = 4 and g.genre_key = n.item_key
    ) as i
    left join lateral (
        select r.name
        from warehouse.bridge_track_artist as k
        inner join warehouse.dim_artist as r on r.artist_key = k.artist_key
        where k.track_key = i.track_key
        order by k.position
        limit 1
    ) as f on true
    union all
    select 'show', r.rank, r.show, r.name, null, r.plays, r.ms_played, r.earlier_rank, nullif(r.earlier_plays, 0)
    from (
        select
            s.*,
            row_number() over (order by s.ms_played desc, s.plays desc, s.show collate "C") as rank,
            case
                when s.earlier_plays > 0
                    then row_number() over (
                        order by s.earlier_ms_played desc, s.earlier_plays desc, s.show collate "C"
                    )
            end as earlier_rank
        from spoken as s
    ) as r
    where r.plays > 0 and r.rank <= 100
    order by 1, 2
$$;

create table mart.segment_user_count (
    start_date date not null,
    users integer not null,
    grain text not null,
    level text not null,
    segment text not null,
    constraint segment_user_count_pkey primary key (grain, level, segment, start_date),
    constraint segment_user_count_grain_known check (grain in ('day', 'week')),
    constraint segment_user_count_level_known check (level in ('continent', 'plan', 'continent_plan'))
);
"""


def upgrade() -> None:
    """Create views, functions and a table, which the next build of the marts fills.

    Their comments and privileges follow at the end of each migration.
    """
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
