create temporary table count_change on commit drop as
with by_year as (
    select
        listener_key,
        'recording'::mart.counted_kind as kind,
        recording_key as item_key,
        extract(year from local_date)::smallint as year,
        sum(plays) * 1000000 as play_millionths,
        sum(ms_played) * 1000000 as ms_millionths
    from play_change
    where recording_key > 0
    group by 1, 3, 4
    union all
    select
        listener_key,
        'artist',
        artist_key,
        extract(year from local_date)::smallint,
        sum(plays) * 1000000,
        sum(ms_played) * 1000000
    from play_change
    where artist_key > 0
    group by 1, 3, 4
    union all
    select
        listener_key,
        'audio_cluster',
        audio_features_type,
        extract(year from local_date)::smallint,
        sum(plays) * 1000000,
        sum(ms_played) * 1000000
    from play_change
    where audio_features_type is not null
    group by 1, 3, 4
    union all
    select
        listener_key,
        'hour',
        local_hour,
        extract(year from local_date)::smallint,
        sum(plays) * 1000000,
        sum(ms_played) * 1000000
    from play_change
    group by 1, 3, 4
    union all
    select
        listener_key,
        'genre',
        genre_key,
        extract(year from local_date)::smallint,
        sum(play_millionths),
        sum(ms_millionths)
    from genre_change
    group by 1, 3, 4
)

select listener_key, item_key, kind, year, play_millionths::bigint, ms_millionths::bigint
from by_year
where play_millionths <> 0 or ms_millionths <> 0
union all
select listener_key, item_key, kind, 0::smallint, sum(play_millionths)::bigint, sum(ms_millionths)::bigint
from by_year
group by listener_key, item_key, kind
having sum(play_millionths) <> 0 or sum(ms_millionths) <> 0;

analyze count_change;

create temporary table count_now (like mart.listener_count) on commit drop;

with counted as (
    insert into mart.listener_count as c (listener_key, item_key, kind, year, play_millionths, ms_millionths)
    select listener_key, item_key, kind, year, play_millionths, ms_millionths
    from count_change
    order by listener_key, kind, item_key, year
    on conflict (listener_key, kind, item_key, year) do update
    set play_millionths = c.play_millionths + excluded.play_millionths,
        ms_millionths = c.ms_millionths + excluded.ms_millionths
    returning c.*
)

insert into count_now select * from counted;

analyze count_now;

delete from mart.listener_count as c
using count_now as n
where n.play_millionths = 0
    and c.listener_key = n.listener_key
    and c.kind = n.kind
    and c.item_key = n.item_key
    and c.year = n.year;
