"""What a user played in any period: functions on the plays of its days, and plays of podcasts and audiobooks."""

from alembic import op

revision = "0013_any_period"
down_revision = "0012_decisions"

_STATEMENTS = r"""
drop index mart.counted_play_listener_key_idx;

create index counted_play_listener_key_idx on mart.counted_play (listener_key, local_date)
include (track_key, artist_key, ms_played, local_hour, is_excluded);

create view mart.spoken_play as
select
    e.event_id,
    e.event_time,
    l.listener_key,
    l.user_id,
    e.local_time,
    e.local_time::date as local_date,
    e.local_hour,
    e.spoken_id,
    e.spoken_name,
    e.show_name,
    case
        when e.spoken_id like 'spotify:chapter:%' or e.spoken_id like 'spotify:audiobook:%' then 'audiobook'
        when e.spoken_id like 'spotify:episode:%' or e.spoken_id like 'spotify:show:%' then 'podcast'
        else 'unknown'
    end as spoken_kind,
    e.ms_played,
    e.is_skipped,
    e.source
from mart.definition as d
cross join mart.listener as l
inner join warehouse.dim_user as u on u.user_id = l.user_id
inner join warehouse.fact_spoken_event as e on e.user_key = u.user_key
where e.activity_type = 'PLAY'
    and e.ms_played >= d.play_min_ms
    and l.user_id not in (select id from warehouse.exclusion where kind = 'user');

-- The only reader of mart.counted_play among the functions of periods. Its index has all columns that are selected
-- here, so that a period costs the pages of the index with its plays, whatever the size of the table.
create function mart.period_play(user_id text, first_date date, last_date date)
returns table (local_date date, local_hour smallint, track_key integer, artist_key integer, ms_played integer)
language sql
stable parallel safe
as $$
    select p.local_date, p.local_hour, p.track_key, p.artist_key, p.ms_played
    from mart.counted_play as p
    where p.listener_key = (select l.listener_key from mart.listener as l where l.user_id = period_play.user_id)
        and p.local_date between period_play.first_date and period_play.last_date
        and not p.is_excluded
$$;

create function mart.period_figures(user_id text, first_date date, last_date date)
returns table (
    minutes_played bigint,
    plays bigint,
    tracks bigint,
    albums bigint,
    artists bigint,
    new_artists bigint,
    days_with_plays bigint,
    favourite_hour smallint,
    spoken_minutes bigint,
    spoken_plays bigint,
    shows bigint
)
language sql
stable parallel safe
as $$
    with play as materialized (
        select p.*
        from mart.period_play(period_figures.user_id, period_figures.first_date, period_figures.last_date) as p
    ),

    played_track as (
        select d.recording_key, d.album_key
        from (select distinct p.track_key from play as p where p.track_key > 0) as t
        inner join warehouse.dim_track as d on d.track_key = t.track_key
    ),

    played_artist as (
        select distinct p.artist_key
        from play as p
        where p.artist_key > 0
    ),

    -- The months before have one row each; of the month in which the period begins, the plays are read.
    known_artist as (
        select i.artist_key
        from mart.listener_count as c
        cross join lateral unnest(c.item_keys) as i (artist_key)
        where c.listener_key = (
                select l.listener_key from mart.listener as l where l.user_id = period_figures.user_id
            )
            and c.kind = 'artist'
            and c.month_start < date_trunc('month', period_figures.first_date::timestamp)::date
        union
        select p.artist_key
        from mart.period_play(
            period_figures.user_id,
            date_trunc('month', period_figures.first_date::timestamp)::date,
            period_figures.first_date - 1
        ) as p
    ),

    spoken as (
        select s.ms_played, coalesce(s.show_name, s.spoken_name, s.spoken_id) as show
        from mart.spoken_play as s
        where s.user_id = period_figures.user_id
            -- A day lasts until noon of the next in UTC at the latest, and begins ten hours before its date: with
            -- these bounds only the partitions of the period are read.
            and s.event_time >= (period_figures.first_date - 2)::timestamptz
            and s.event_time < (period_figures.last_date + 3)::timestamptz
            and s.local_date between period_figures.first_date and period_figures.last_date
    )

    select
        coalesce(sum(p.ms_played::bigint), 0)::bigint / 60000,
        count(*),
        (select count(distinct t.recording_key) from played_track as t where t.recording_key > 0),
        (select count(distinct t.album_key) from played_track as t where t.album_key > 0),
        (select count(*) from played_artist),
        (
            select count(*)
            from played_artist as a
            where a.artist_key not in (select k.artist_key from known_artist as k)
        ),
        count(distinct p.local_date),
        (
            select h.local_hour
            from play as h
            group by h.local_hour
            order by count(*) desc, h.local_hour
            limit 1
        ),
        (select coalesce(sum(s.ms_played::bigint), 0)::bigint / 60000 from spoken as s),
        (select count(*) from spoken as s),
        (select count(distinct s.show) from spoken as s)
    from play as p
$$;

create function mart.period_top(
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
    with play as materialized (
        select p.track_key, p.artist_key, 1 as plays, p.ms_played, 0 as earlier_plays
        from mart.period_play(period_top.user_id, period_top.first_date, period_top.last_date) as p
        union all
        select p.track_key, p.artist_key, 0, 0, 1
        from mart.period_play(period_top.user_id, period_top.earlier_first_date, period_top.earlier_last_date) as p
    ),

    -- Each track is looked up once, however often it was played, and in whichever period.
    track as materialized (
        select p.track_key, d.recording_key, d.album_key, p.plays, p.ms_played, p.earlier_plays
        from (
            select
                b.track_key, sum(b.plays)::integer as plays, sum(b.ms_played) as ms_played,
                sum(b.earlier_plays)::integer as earlier_plays
            from play as b
            where b.track_key > 0
            group by b.track_key
        ) as p
        inner join warehouse.dim_track as d on d.track_key = p.track_key
    ),

    -- Kinds are numbers, because tens of thousands of rows are sorted by them.
    counted as (
        select
            1 as kind_number, t.recording_key as item_key, sum(t.plays) * 1000000 as play_millionths,
            sum(t.ms_played)::bigint * 1000000 as ms_millionths, sum(t.earlier_plays) * 1000000 as earlier_millionths
        from track as t
        where t.recording_key > 0
        group by t.recording_key
        union all
        select
            2, t.album_key, sum(t.plays) * 1000000, sum(t.ms_played)::bigint * 1000000, sum(t.earlier_plays) * 1000000
        from track as t
        where t.album_key > 0
        group by t.album_key
        union all
        select 3, p.artist_key, sum(p.plays) * 1000000, sum(p.ms_played) * 1000000, sum(p.earlier_plays) * 1000000
        from play as p
        where p.artist_key > 0
        group by p.artist_key
        union all
        select
            4, g.genre_key, sum(t.plays * g.weight_millionths::bigint)::bigint,
            sum(t.ms_played * g.weight_millionths)::bigint, sum(t.earlier_plays * g.weight_millionths::bigint)::bigint
        from track as t
        inner join mart.counted_track_genre as g on g.track_key = t.track_key
        group by g.genre_key
    ),

    -- Shows have no key. They are ranked by time, because an episode may last minutes or hours.
    spoken as (
        select
            coalesce(s.show_name, s.spoken_name, s.spoken_id) as show, count(*) filter (where m.is_now) as plays,
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

    ranked as (
        select
            c.*,
            row_number() over (partition by c.kind_number order by c.play_millionths desc, c.item_key) as rank,
            row_number() over (
                partition by c.kind_number order by c.earlier_millionths desc, c.item_key
            ) as earlier_rank
        from counted as c
    ),

    leader as materialized (
        select r.* from ranked as r where r.play_millionths > 0 and r.rank <= 100
    ),

    album_track as (
        select distinct on (t.album_key) t.album_key, t.track_key
        from track as t
        where t.album_key in (select n.item_key from leader as n where n.kind_number = 2)
        order by t.album_key, t.plays desc, t.track_key
    )

    select
        (array['track', 'album', 'artist', 'genre'])[n.kind_number],
        n.rank,
        coalesce(t.track_id, b.album_id, a.artist_id, g.genre),
        coalesce(t.name, b.name, a.name, g.genre),
        coalesce(f.name, a.name),
        n.play_millionths / 1000000::numeric,
        n.ms_millionths / 1000000,
        case when n.earlier_millionths > 0 then n.earlier_rank end,
        nullif(n.earlier_millionths, 0) / 1000000::numeric
    from leader as n
    left join warehouse.dim_track as t on n.kind_number = 1 and t.track_key = n.item_key
    left join warehouse.dim_album as b on n.kind_number = 2 and b.album_key = n.item_key
    left join warehouse.dim_artist as a on n.kind_number = 3 and a.artist_key = n.item_key
    left join warehouse.dim_genre as g on n.kind_number = 4 and g.genre_key = n.item_key
    left join album_track as h on n.kind_number = 2 and h.album_key = n.item_key
    left join lateral (
        select r.name
        from warehouse.bridge_track_artist as k
        inner join warehouse.dim_artist as r on r.artist_key = k.artist_key
        where k.track_key = coalesce(t.track_key, h.track_key)
        order by k.position
        limit 1
    ) as f on true
    union all
    select 'show', r.rank, r.show, r.show, null, r.plays, r.ms_played, r.earlier_rank, nullif(r.earlier_plays, 0)
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

-- A function with a period as its arguments, with the rights of its owner like the functions of the views my_…
create function mart.my_period_figures(first_date date, last_date date)
returns table (
    minutes_played bigint,
    plays bigint,
    tracks bigint,
    albums bigint,
    artists bigint,
    new_artists bigint,
    days_with_plays bigint,
    favourite_hour smallint,
    spoken_minutes bigint,
    spoken_plays bigint,
    shows bigint
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select p.*
    from mart.period_figures(
        (select s.user_id from audit.signed_in as s),
        my_period_figures.first_date,
        my_period_figures.last_date
    ) as p;
end
$$;

-- A function with a period as its arguments, with the rights of its owner like the functions of the views my_…
create function mart.my_period_top(
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
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select p.*
    from mart.period_top(
        (select s.user_id from audit.signed_in as s),
        my_period_top.first_date,
        my_period_top.last_date,
        my_period_top.earlier_first_date,
        my_period_top.earlier_last_date
    ) as p;
end
$$;

create function mart.taste_figures(user_id text, year integer)
returns table (
    plays bigint,
    minutes_played bigint,
    tracks bigint,
    artists bigint,
    new_artists bigint,
    earlier_plays bigint,
    top_artist text,
    top_artist_plays bigint,
    artists_at_top bigint,
    top_genre text,
    top_genre_share double precision,
    genres_at_top bigint,
    earlier_top_genre_share double precision,
    top_cluster text,
    top_cluster_share double precision,
    clusters_at_top bigint,
    catalogue_cluster_share double precision,
    plays_by_hour bigint[],
    featured_plays bigint,
    distances double precision[],
    earlier_featured_plays bigint,
    earlier_distances double precision[]
)
language sql
stable parallel safe
as $$
    with listener as materialized (
        select l.listener_key from mart.listener as l where l.user_id = taste_figures.user_id
    ),

    counted as materialized (
        select c.kind, c.item_key, c.year = taste_figures.year as is_now, c.play_millionths
        from mart.listener_year_count as c
        where c.listener_key = (select l.listener_key from listener as l)
            and c.year in (taste_figures.year, taste_figures.year - 1)
    ),

    total as (
        select c.kind, c.is_now, sum(c.play_millionths) as play_millionths from counted as c group by c.kind, c.is_now
    ),

    -- The first of each kind, of equals the smallest key, and how many are equal to it.
    leader as (
        select distinct on (c.kind)
            c.kind, c.item_key, c.play_millionths, t.play_millionths as total_millionths,
            count(*) over (partition by c.kind, c.play_millionths) as equals
        from counted as c
        inner join total as t on t.kind = c.kind and t.is_now
        where c.is_now and c.kind in ('artist', 'genre', 'audio_cluster')
        order by c.kind, c.play_millionths desc, c.item_key
    ),

    by_hour as (
        select array_agg(coalesce(c.play_millionths / 1000000, 0) order by h.hour) as plays
        from generate_series(0, 23) as h (hour)
        left join counted as c on c.is_now and c.kind = 'hour' and c.item_key = h.hour
    ),

    recording as (
        select c.is_now, c.play_millionths / 1000000 as plays, p.steps
        from counted as c
        inner join mart.audio_point as p on p.recording_key = c.item_key
        where c.kind = 'recording' and num_nonnulls(variadic p.steps) > 0
    ),

    sound as (
        select r.is_now, s.attribute_number, sum(r.plays * s.steps) / sum(r.plays) / max(a.steps_per_one) as mean
        from recording as r
        cross join lateral unnest(r.steps) with ordinality as s (steps, attribute_number)
        inner join mart.attribute as a on a.attribute_number = s.attribute_number
        where s.steps is not null
        group by r.is_now, s.attribute_number
    ),

    described as (
        select
            n.is_now,
            (select sum(r.plays)::bigint from recording as r where r.is_now = n.is_now) as plays,
            array_agg(
                (s.mean - c.means[a.attribute_number]) / nullif(c.deviations[a.attribute_number], 0)
                order by a.attribute_number
            ) as distances
        from (values (true), (false)) as n (is_now)
        cross join mart.attribute as a
        left join mart.audio_scale as c on true
        left join sound as s on s.is_now = n.is_now and s.attribute_number = a.attribute_number
        group by n.is_now
    )

    select
        y.plays::bigint,
        y.ms_played / 60000,
        y.tracks::bigint,
        y.artists::bigint,
        y.new_artists::bigint,
        coalesce(e.plays, 0)::bigint,
        n.name,
        (a.play_millionths / 1000000)::bigint,
        a.equals,
        r.genre,
        (g.play_millionths / nullif(g.total_millionths, 0))::double precision,
        g.equals,
        (
            select
                coalesce(sum(c.play_millionths) filter (where c.item_key = g.item_key), 0)
                / nullif(sum(c.play_millionths), 0)
            from counted as c
            where c.kind = 'genre' and not c.is_now
        )::double precision,
        d.name,
        (k.play_millionths / nullif(k.total_millionths, 0))::double precision,
        k.equals,
        d.size / (select nullif(sum(o.size), 0) from warehouse.dim_audio_cluster as o)::double precision,
        h.plays,
        coalesce(w.plays, 0),
        w.distances,
        coalesce(f.plays, 0),
        f.distances
    from mart.listener_year as y
    cross join by_hour as h
    inner join described as w on w.is_now
    inner join described as f on not f.is_now
    left join mart.listener_year as e on e.listener_key = y.listener_key and e.year = taste_figures.year - 1
    left join leader as a on a.kind = 'artist'
    left join warehouse.dim_artist as n on n.artist_key = a.item_key
    left join leader as g on g.kind = 'genre'
    left join warehouse.dim_genre as r on r.genre_key = g.item_key
    left join leader as k on k.kind = 'audio_cluster'
    left join warehouse.dim_audio_cluster as d on d.audio_features_type = k.item_key
    where y.listener_key = (select l.listener_key from listener as l)
        and y.year = taste_figures.year
        and taste_figures.year > 0
$$;

-- A function with a year as its argument, with the rights of its owner like the functions of the views my_…
create function mart.my_taste_figures(year integer)
returns table (
    plays bigint,
    minutes_played bigint,
    tracks bigint,
    artists bigint,
    new_artists bigint,
    earlier_plays bigint,
    top_artist text,
    top_artist_plays bigint,
    artists_at_top bigint,
    top_genre text,
    top_genre_share double precision,
    genres_at_top bigint,
    earlier_top_genre_share double precision,
    top_cluster text,
    top_cluster_share double precision,
    clusters_at_top bigint,
    catalogue_cluster_share double precision,
    plays_by_hour bigint[],
    featured_plays bigint,
    distances double precision[],
    earlier_featured_plays bigint,
    earlier_distances double precision[]
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select f.*
    from mart.taste_figures((select s.user_id from audit.signed_in as s), my_taste_figures.year) as f;
end
$$;
"""


def upgrade() -> None:
    """Create the view and the functions. Their comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
