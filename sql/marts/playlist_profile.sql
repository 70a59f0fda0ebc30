-- The playlists with changed tracks, or with changed attributes of their tracks.
create temporary table profiled_playlist on commit drop as
select playlist_key from changed_playlist
union
select m.playlist_key
from changed_point as c
inner join recording_track as r on r.recording_key = c.recording_key
inner join warehouse.fact_playlist_track as m on m.track_key = r.track_key and m.valid_to = 'infinity';

analyze profiled_playlist;

create temporary table playlist_recording on commit drop as
select distinct q.playlist_key, t.recording_key
from profiled_playlist as q
inner join warehouse.fact_playlist_track as m on m.playlist_key = q.playlist_key and m.valid_to = 'infinity'
inner join warehouse.dim_track as t on t.track_key = m.track_key
inner join mart.audio_point as p on p.recording_key = t.recording_key
where not p.is_excluded;

analyze playlist_recording;

delete from mart.playlist_figure as f
using profiled_playlist as q
where f.playlist_key = q.playlist_key;

insert into mart.playlist_figure (playlist_key, tracks, featured_tracks, dated_tracks, newness_total)
select
    l.playlist_key,
    count(r.recording_key),
    count(p.track_key),
    count(p.newness_millionths),
    coalesce(sum(p.newness_millionths), 0)
from profiled_playlist as q
inner join warehouse.dim_playlist as l on l.playlist_key = q.playlist_key
left join playlist_recording as r on r.playlist_key = l.playlist_key
left join mart.audio_point as p on p.recording_key = r.recording_key
where l.playlist_key > 0
group by l.playlist_key;

delete from mart.playlist_bin as b
using profiled_playlist as q
where b.playlist_key = q.playlist_key;

insert into mart.playlist_bin (playlist_key, attribute_number, bin, tracks, total, square_total)
select
    r.playlist_key,
    v.attribute_number,
    v.bin,
    count(*),
    sum(v.steps),
    sum(v.steps * v.steps)
from playlist_recording as r
inner join mart.audio_point as p on p.recording_key = r.recording_key
cross join lateral mart.audio_values(p.steps) as v
group by r.playlist_key, v.attribute_number, v.bin;

delete from mart.playlist_cluster as c
using profiled_playlist as q
where c.playlist_key = q.playlist_key;

insert into mart.playlist_cluster (playlist_key, audio_features_type, tracks)
select r.playlist_key, p.audio_features_type, count(*)
from playlist_recording as r
inner join mart.audio_point as p on p.recording_key = r.recording_key
where p.audio_features_type is not null
group by r.playlist_key, p.audio_features_type;
