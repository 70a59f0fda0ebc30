create unlogged table count_of_year as
select
    listener_key,
    recording_key as item_key,
    'recording'::mart.counted_kind as kind,
    year,
    count(*) * 1000000 as play_millionths,
    sum(ms_played) * 1000000 as ms_millionths
from play_change
where recording_key > 0
group by listener_key, recording_key, year
union all
select listener_key, artist_key, 'artist', year, count(*) * 1000000, sum(ms_played) * 1000000
from play_change
where artist_key > 0
group by listener_key, artist_key, year
union all
select listener_key, audio_features_type, 'audio_cluster', year, count(*) * 1000000, sum(ms_played) * 1000000
from play_change
where audio_features_type is not null
group by listener_key, audio_features_type, year
union all
select listener_key, local_hour, 'hour', year, count(*) * 1000000, sum(ms_played) * 1000000
from play_change
group by listener_key, local_hour, year
union all
select
    p.listener_key,
    g.genre_key,
    'genre',
    p.year,
    sum(p.plays * g.weight_millionths),
    sum(p.ms_played * g.weight_millionths)::bigint
from (
    select listener_key, track_key, year, count(*) as plays, sum(ms_played) as ms_played
    from play_change
    group by listener_key, track_key, year
) as p
inner join mart.counted_track_genre as g on g.track_key = p.track_key
where g.weight_millionths <> 0
group by p.listener_key, g.genre_key, p.year;

insert into mart.listener_count (listener_key, item_key, kind, year, play_millionths, ms_millionths)
select listener_key, item_key, kind, year, play_millionths, ms_millionths
from count_of_year
union all
select listener_key, item_key, kind, 0, sum(play_millionths), sum(ms_millionths)
from count_of_year
group by listener_key, item_key, kind;

drop table count_of_year;

create view count_change as select * from mart.listener_count;
