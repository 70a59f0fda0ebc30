"""Narrower marts: counts of a month in one row, and charts without counts of their own.

The new tables are empty: the next build of the marts is a full refresh, since the list of marts in ``mart.definition``
has changed. Until then ``wrapped`` has years without favourites, taste profiles have no audio features, and
``top_by_continent`` has no rows.
"""

from alembic import op

revision = "0010_narrow_marts"
down_revision = "0009_live_event_ids"

_STATEMENTS = """
alter table mart.listener_count rename to former_listener_count;
alter table mart.chart_top rename to former_chart_top;
alter table mart.listener_bin rename to former_listener_bin;

-- The new tables get the names of these constraints, also of those that PostgreSQL names.
do $$
declare
    former record;
begin
    for former in
        select conrelid::regclass as name, conname
        from pg_constraint
        where conrelid in (
            'mart.former_listener_count'::regclass,
            'mart.former_chart_top'::regclass,
            'mart.former_listener_bin'::regclass
        )
    loop
        execute format(
            'alter table %s rename constraint %I to %I', former.name, former.conname, 'former_' || former.conname
        );
    end loop;
end
$$;

create table mart.listener_count (
    listener_key integer not null,
    month_start date not null,
    kind mart.counted_kind not null,
    item_keys integer[] not null,
    play_millionths bigint[] not null,
    ms_millionths bigint[] not null,
    constraint listener_count_pkey primary key (listener_key, kind, month_start)
);

create table mart.chart_top (
    chart_key integer not null,
    item_keys integer[] not null,
    play_millionths bigint[] not null,
    constraint chart_top_pkey primary key (chart_key)
);

create table mart.listener_bin (
    total bigint not null,
    square_total bigint not null,
    listener_key integer not null,
    attribute_number smallint not null,
    bins smallint[] not null,
    plays bigint[] not null,
    constraint listener_bin_pkey primary key (listener_key, attribute_number)
);

create table mart.item_month (
    item_key integer not null,
    month_start date not null,
    kind mart.counted_kind not null,
    place_days integer[] not null,
    play_millionths bigint[] not null,
    constraint item_month_pkey primary key (kind, item_key, month_start)
);

create table mart.item_year (
    item_key integer not null,
    kind mart.counted_kind not null,
    year smallint not null,
    place_keys integer[] not null,
    play_millionths bigint[] not null,
    constraint item_year_pkey primary key (kind, item_key, year)
);

create view mart.context_place as
select
    listening_context_key,
    min(listening_context_key) over (partition by country, continent) as place_key,
    country,
    continent
from mart.listening_context;

create view mart.listener_year_count as
select
    y.listener_key,
    y.year,
    c.kind,
    i.item_key,
    sum(i.play_millionths)::bigint as play_millionths,
    sum(i.ms_millionths)::bigint as ms_millionths
from mart.listener_year as y
inner join mart.listener_count as c
    on c.listener_key = y.listener_key and (y.year = 0 or extract(year from c.month_start) = y.year)
cross join lateral unnest(c.item_keys, c.play_millionths, c.ms_millionths)
    as i (item_key, play_millionths, ms_millionths)
group by y.listener_key, y.year, c.kind, i.item_key;

create view mart.profile_histogram as
select
    b.scope,
    b.subject_key,
    b.attribute_number,
    sum(b.entries)::bigint as entries,
    sum(b.total) as total,
    sum(b.square_total) as square_total,
    array_agg(b.bin order by b.bin) as bins,
    array_agg(b.entries order by b.bin) as entries_of_bins
from (
    select
        'playlist' as scope, playlist_key as subject_key, attribute_number, bin, tracks::bigint as entries, total,
        square_total::numeric as square_total
    from mart.playlist_bin
    union all
    select
        'playlists',
        o.listener_key,
        b.attribute_number,
        b.bin,
        sum(b.tracks)::bigint,
        sum(b.total)::bigint,
        sum(b.square_total)
    from mart.playlist_owner as o
    inner join mart.playlist_bin as b on b.playlist_key = o.playlist_key
    group by o.listener_key, b.attribute_number, b.bin
) as b
group by b.scope, b.subject_key, b.attribute_number
union all
select
    'plays', listener_key, attribute_number, (select sum(p.plays)::bigint from unnest(plays) as p (plays)),
    total::numeric, square_total::numeric, bins, plays
from mart.listener_bin;

create or replace view mart.wrapped as
select
    l.user_id,
    y.year,
    y.ms_played / 60000 as minutes_played,
    y.plays,
    y.tracks,
    y.artists,
    y.first_play_at,
    y.longest_streak_days,
    y.longest_streak_from,
    y.longest_session_ms,
    y.longest_session_at,
    h.item_key as favourite_hour,
    case when y.year > 0 and y.artists > 0 then y.new_artists::double precision / y.artists end as new_artist_share,
    c.item_key as top_audio_features_type,
    k.name as top_audio_cluster_name,
    lower(
        case
            when y.year = 0 then d.days
            else d.days * datemultirange(daterange(make_date(y.year, 1, 1), make_date(y.year + 1, 1, 1)))
        end
    ) as first_play_on,
    s.local_date as longest_session_on
from mart.listener_year as y
inner join mart.listener as l on l.listener_key = y.listener_key
left join mart.listened_days as d on d.listener_key = y.listener_key
left join mart.session as s on s.listener_key = y.listener_key and s.started_at = y.longest_session_at
left join lateral (
    select t.item_key
    from mart.listener_year_count as t
    where t.listener_key = y.listener_key and t.kind = 'hour' and t.year = y.year
    order by t.play_millionths desc, t.item_key
    limit 1
) as h on true
left join lateral (
    select t.item_key
    from mart.listener_year_count as t
    where t.listener_key = y.listener_key and t.kind = 'audio_cluster' and t.year = y.year
    order by t.play_millionths desc, t.item_key
    limit 1
) as c on true
left join warehouse.dim_audio_cluster as k on k.audio_features_type = c.item_key;

create or replace view mart.wrapped_artist as
select
    l.user_id,
    y.year,
    t.rank,
    a.artist_id,
    a.name as artist_name,
    t.play_millionths / 1000000 as plays,
    t.ms_millionths / 1000000 as ms_played
from mart.listener as l
inner join mart.listener_year as y on y.listener_key = l.listener_key
cross join lateral (
    select item_key, play_millionths, ms_millionths, row_number() over (order by play_millionths desc, item_key) as rank
    from mart.listener_year_count
    where listener_key = y.listener_key and kind = 'artist' and year = y.year
    order by play_millionths desc, item_key
    limit 100
) as t
inner join warehouse.dim_artist as a on a.artist_key = t.item_key;

create or replace view mart.wrapped_genre as
select
    l.user_id,
    y.year,
    t.rank,
    g.genre,
    t.play_millionths / 1000000.0 as plays,
    t.ms_millionths / 1000000 as ms_played
from mart.listener as l
inner join mart.listener_year as y on y.listener_key = l.listener_key
cross join lateral (
    select item_key, play_millionths, ms_millionths, row_number() over (order by play_millionths desc, item_key) as rank
    from mart.listener_year_count
    where listener_key = y.listener_key and kind = 'genre' and year = y.year
    order by play_millionths desc, item_key
    limit 100
) as t
inner join warehouse.dim_genre as g on g.genre_key = t.item_key;

create or replace view mart.wrapped_track as
select
    l.user_id,
    y.year,
    t.rank,
    d.track_id as recording_id,
    d.name as track_name,
    a.artist_id,
    a.name as artist_name,
    t.play_millionths / 1000000 as plays,
    t.ms_millionths / 1000000 as ms_played
from mart.listener as l
inner join mart.listener_year as y on y.listener_key = l.listener_key
cross join lateral (
    select item_key, play_millionths, ms_millionths, row_number() over (order by play_millionths desc, item_key) as rank
    from mart.listener_year_count
    where listener_key = y.listener_key and kind = 'recording' and year = y.year
    order by play_millionths desc, item_key
    limit 100
) as t
inner join warehouse.dim_track as d on d.track_key = t.item_key
left join lateral (
    select b.artist_key
    from warehouse.bridge_track_artist as b
    where b.track_key = d.track_key
    order by b.position
    limit 1
) as b on true
left join warehouse.dim_artist as a on a.artist_key = b.artist_key;

create or replace view mart.top_by_continent as
select
    c.period,
    c.period_start,
    c.place_kind,
    c.place,
    c.kind::text as kind,
    t.rank::smallint as rank,
    coalesce(d.track_id, a.artist_id, g.genre) as item_id,
    coalesce(d.name, a.name, g.genre) as name,
    f.name as artist_name,
    t.play_millionths / 1000000.0 as plays
from mart.chart as c
inner join mart.chart_top as h on h.chart_key = c.chart_key
cross join lateral unnest(h.item_keys, h.play_millionths) with ordinality as t (item_key, play_millionths, rank)
left join warehouse.dim_track as d on c.kind = 'recording' and d.track_key = t.item_key
left join warehouse.dim_artist as a on c.kind = 'artist' and a.artist_key = t.item_key
left join warehouse.dim_genre as g on c.kind = 'genre' and g.genre_key = t.item_key
left join lateral (
    select b.artist_key
    from warehouse.bridge_track_artist as b
    where b.track_key = d.track_key
    order by b.position
    limit 1
) as b on true
left join warehouse.dim_artist as f on f.artist_key = b.artist_key;

create or replace view mart.profile_attribute as
select
    c.scope,
    c.subject_key,
    c.attribute_number,
    a.attribute,
    c.entries,
    m.mean,
    sqrt(greatest(c.entries * c.square_total - c.total * c.total, 0))::double precision
    / c.entries::double precision / a.steps_per_one as deviation,
    case
        when s.deviations[c.attribute_number] = 0 then 0
        else (m.mean - s.means[c.attribute_number]) / s.deviations[c.attribute_number]
    end as distance,
    mart.quantile(d.entries_by_bin, 0.25, a.first_bound, a.last_bound) as lower_quartile,
    mart.quantile(d.entries_by_bin, 0.5, a.first_bound, a.last_bound) as median,
    mart.quantile(d.entries_by_bin, 0.75, a.first_bound, a.last_bound) as upper_quartile,
    d.entries_by_bin
from mart.profile_histogram as c
inner join mart.attribute as a on a.attribute_number = c.attribute_number
left join mart.audio_scale as s on true
cross join lateral (
    select c.total::double precision / c.entries::double precision / a.steps_per_one as mean
) as m
cross join lateral (
    select
        array_agg(
            coalesce(c.entries_of_bins[array_position(c.bins, g.bin::smallint)], 0) order by g.bin
        ) as entries_by_bin
    from generate_series(1, 20) as g (bin)
) as d;

drop view mart.profile_bin;

drop table
    mart.former_listener_count, mart.former_listener_bin, mart.former_chart_top, mart.chart_count, mart.artist_listener;

drop index mart.session_duration_idx;
drop index mart.counted_play_track_key_idx;
create index counted_play_track_key_idx on mart.counted_play (track_key, listener_key);
create index counted_play_artist_key_idx on mart.counted_play (artist_key, listener_key);
"""


def upgrade() -> None:
    """Replace the tables and redefine their views. Comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
