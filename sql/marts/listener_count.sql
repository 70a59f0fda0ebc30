-- What users' plays add to their counts of a month and subtract from them; a month's counts are one row a kind.
create temporary table count_change on commit drop as
select
    listener_key,
    month_start,
    'recording'::mart.counted_kind as kind,
    recording_key as item_key,
    sum(plays)::bigint * 1000000 as play_millionths,
    sum(ms_played)::bigint * 1000000 as ms_millionths
from play_change
where recording_key > 0
group by listener_key, month_start, recording_key
union all
select listener_key, month_start, 'artist', artist_key, sum(plays)::bigint * 1000000, sum(ms_played)::bigint * 1000000
from play_change
where artist_key > 0
group by listener_key, month_start, artist_key
union all
select
    listener_key,
    month_start,
    'audio_cluster',
    audio_features_type,
    sum(plays)::bigint * 1000000,
    sum(ms_played)::bigint * 1000000
from play_change
where audio_features_type is not null
group by listener_key, month_start, audio_features_type
union all
select listener_key, month_start, 'hour', local_hour, sum(plays)::bigint * 1000000, sum(ms_played)::bigint * 1000000
from play_change
group by listener_key, month_start, local_hour
union all
select listener_key, month_start, 'genre', genre_key, sum(play_millionths)::bigint, sum(ms_millionths)::bigint
from genre_change
group by listener_key, month_start, genre_key;

analyze count_change;

create temporary table count_before on commit drop as
select b.*
from (select distinct listener_key, kind, month_start from count_change) as c
inner join mart.listener_count as b
    on b.listener_key = c.listener_key and b.kind = c.kind and b.month_start = c.month_start;

analyze count_before (listener_key, kind, month_start);

delete from mart.listener_count as c
using count_before as b
where c.listener_key = b.listener_key and c.kind = b.kind and c.month_start = b.month_start;

insert into mart.listener_count (listener_key, month_start, kind, item_keys, play_millionths, ms_millionths)
select
    listener_key, month_start, kind, array_agg(item_key), array_agg(play_millionths), array_agg(ms_millionths)
from (
    select
        listener_key,
        kind,
        month_start,
        item_key,
        sum(play_millionths)::bigint as play_millionths,
        sum(ms_millionths)::bigint as ms_millionths
    from (
        select listener_key, kind, month_start, item_key, play_millionths, ms_millionths from count_change
        union all
        select b.listener_key, b.kind, b.month_start, i.item_key, i.play_millionths, i.ms_millionths
        from count_before as b
        cross join lateral unnest(b.item_keys, b.play_millionths, b.ms_millionths)
            as i (item_key, play_millionths, ms_millionths)
    ) as counted
    group by listener_key, kind, month_start, item_key
    having sum(play_millionths) <> 0
    order by listener_key, kind, month_start, item_key
) as c
group by listener_key, kind, month_start;
