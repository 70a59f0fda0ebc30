-- The audio features of recordings whose tracks have changed or are new, before and now. Excluded ones are always
-- evaluated again: they are few, and this also finds those that are no longer excluded.
create temporary table looked_at on commit drop as
select t.recording_key
from changed_track as q
inner join warehouse.dim_track as t on t.track_key = q.track_key
union
select p.recording_key
from changed_track as q
inner join mart.audio_point as p on p.track_key = q.track_key
union
select p.recording_key
from changed_track as q
inner join mart.audio_point as p on p.recording_key = q.track_key
union
select recording_key
from warehouse.dim_track
where track_key > coalesce((select last_track_key from mart.counted_catalogue), 0)
union
select recording_key from mart.audio_point where is_excluded
union
select t.recording_key
from warehouse.exclusion as x
inner join warehouse.dim_track as t on t.track_id = x.id
where x.kind = 'track'
union
select t.recording_key
from excluded_artist as a
inner join warehouse.bridge_track_artist as b on b.artist_key = a.artist_key
inner join warehouse.dim_track as t on t.track_key = b.track_key;

analyze looked_at;

create temporary table recording_track on commit drop as
select l.recording_key, t.*
from looked_at as l
cross join lateral (
    select track_key, track_id from warehouse.dim_track where track_key = l.recording_key
    union all
    select track_key, track_id
    from warehouse.dim_track
    where recording_key = l.recording_key and recording_key <> track_key
) as t
where l.recording_key > 0;

analyze recording_track;

create temporary table excluded_recording on commit drop as
select r.recording_key
from recording_track as r
inner join warehouse.exclusion as x on x.kind = 'track' and x.id = r.track_id
union
select r.recording_key
from recording_track as r
inner join warehouse.bridge_track_artist as b on b.track_key = r.track_key
inner join excluded_artist as a on a.artist_key = b.artist_key;

create temporary table point_now (like mart.audio_point) on commit drop;

insert into point_now (recording_key, track_key, newness_millionths, audio_features_type, is_excluded, steps)
select distinct on (r.recording_key)
    r.recording_key,
    case when f.is_featured then t.track_key end,
    round(m.newness_score * 1000000)::integer,
    case when f.is_featured then t.audio_features_type end,
    r.recording_key in (select recording_key from excluded_recording),
    case
        when f.is_featured
            then array[
                round(t.danceability * 1000000)::integer,
                round(t.energy * 1000000)::integer,
                round(t.loudness * 1000)::integer,
                round(t.speechiness * 1000000)::integer,
                round(t.acousticness * 1000000)::integer,
                round(t.instrumentalness * 1000000)::integer,
                round(t.liveness * 1000000)::integer,
                round(t.valence * 1000000)::integer,
                round(t.tempo * 1000)::integer
            ]
    end
from recording_track as r
inner join warehouse.dim_track as m on m.track_key = r.recording_key and m.recording_key = m.track_key
inner join warehouse.dim_track as t on t.track_key = r.track_key
cross join lateral (
    select num_nonnulls(
        t.danceability, t.energy, t.loudness, t.speechiness, t.acousticness, t.instrumentalness, t.liveness, t.valence,
        t.tempo
    ) > 0 as is_featured
) as f
order by r.recording_key, f.is_featured desc, r.track_key;

create temporary table point_before on commit drop as
select p.*
from looked_at as l
inner join mart.audio_point as p on p.recording_key = l.recording_key;

create temporary table changed_point on commit drop as
select distinct recording_key
from (
    (select * from point_before except select * from point_now)
    union all
    (select * from point_now except select * from point_before)
) as c;

analyze changed_point;

delete from point_before as p
where not exists (select from changed_point as c where c.recording_key = p.recording_key);

delete from point_now as p
where not exists (select from changed_point as c where c.recording_key = p.recording_key);

delete from mart.audio_point as p
using point_before as b
where p.recording_key = b.recording_key;

insert into mart.audio_point select * from point_now order by recording_key;

-- Statistics of the keys only: those of arrays cost more than they help.
analyze point_before (recording_key);
analyze point_now (recording_key);

create temporary table catalogue_before on commit drop as
select * from mart.counted_catalogue;

delete from mart.counted_catalogue;

insert into mart.counted_catalogue (last_track_key, fit_id, dated_recordings, newness_total, newness_square_total)
select
    (select max(track_key) from warehouse.dim_track),
    (select fit_id from audit.cluster_fit order by fitted_at desc, fit_id limit 1),
    coalesce(sum(dated_recordings), 0),
    coalesce(sum(newness_total), 0),
    coalesce(sum(newness_square_total), 0)
from (
    select dated_recordings, newness_total, newness_square_total from catalogue_before
    union all
    select count(newness_millionths), sum(newness_millionths), sum(newness_millionths::bigint * newness_millionths)
    from point_now
    union all
    select -count(newness_millionths), -sum(newness_millionths), -sum(newness_millionths::bigint * newness_millionths)
    from point_before
) as told;
