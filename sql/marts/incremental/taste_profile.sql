-- What users' plays add to the sums and subtract from them: added and removed plays count with the current recording;
-- earlier plays of a changed recording are subtracted with its previous values and added with its current ones.
create temporary table played_before on commit drop as
select
    w.listener_key, w.recording_key, coalesce(n.play_millionths, 0) - coalesce(c.play_millionths, 0) as play_millionths
from (
    select distinct p.listener_key, t.recording_key
    from point_before as b
    inner join mart.counted_track as t on t.recording_key = b.recording_key
    inner join mart.counted_play as p on p.track_key = t.track_key
    where not p.is_excluded
    union
    select c.listener_key, c.item_key
    from point_before as b
    inner join count_change as c on c.kind = 'recording' and c.item_key = b.recording_key and c.year = 0
) as w
left join mart.listener_count as n
    on n.listener_key = w.listener_key and n.kind = 'recording' and n.item_key = w.recording_key and n.year = 0
left join count_change as c
    on c.listener_key = w.listener_key and c.kind = 'recording' and c.item_key = w.recording_key and c.year = 0;

analyze played_before;

create temporary view weighted_point as
select
    c.listener_key, c.play_millionths / 1000000 as plays, p.track_key, p.newness_millionths, p.audio_features_type,
    p.steps
from count_change as c
left join mart.audio_point as p on p.recording_key = c.item_key
where c.kind = 'recording' and c.year = 0
union all
select b.listener_key, b.play_millionths / 1000000, p.track_key, p.newness_millionths, p.audio_features_type, p.steps
from played_before as b
left join mart.audio_point as p on p.recording_key = b.recording_key
union all
select b.listener_key, -b.play_millionths / 1000000, p.track_key, p.newness_millionths, p.audio_features_type, p.steps
from played_before as b
inner join point_before as p on p.recording_key = b.recording_key;

insert into mart.listener_figure as f (listener_key, plays, featured_plays, dated_plays, newness_total)
select
    listener_key,
    sum(plays),
    coalesce(sum(plays) filter (where track_key is not null), 0),
    coalesce(sum(plays) filter (where newness_millionths is not null), 0),
    coalesce(sum(plays * newness_millionths), 0)
from weighted_point
group by listener_key
order by listener_key
on conflict (listener_key) do update
set plays = f.plays + excluded.plays,
    featured_plays = f.featured_plays + excluded.featured_plays,
    dated_plays = f.dated_plays + excluded.dated_plays,
    newness_total = f.newness_total + excluded.newness_total;

create temporary table sound_change on commit drop as
select
    w.listener_key,
    w.audio_features_type,
    v.attribute_number,
    v.bin,
    sum(w.plays)::bigint as plays,
    sum(w.plays * v.steps)::bigint as total,
    sum(w.plays * v.steps * v.steps)::bigint as square_total
from weighted_point as w
cross join lateral mart.audio_values(w.steps) as v
group by w.listener_key, w.audio_features_type, v.attribute_number, v.bin
having sum(w.plays) <> 0 or sum(w.plays * v.steps) <> 0 or sum(w.plays * v.steps * v.steps) <> 0;

create temporary table cluster_change on commit drop as
select w.listener_key, w.audio_features_type, sum(w.plays)::bigint as plays
from weighted_point as w
where w.audio_features_type is not null
group by w.listener_key, w.audio_features_type;

analyze sound_change;
analyze cluster_change;

insert into mart.listener_bin as b (listener_key, attribute_number, bin, plays, total, square_total)
select listener_key, attribute_number, bin, sum(plays), sum(total), sum(square_total)
from sound_change
group by listener_key, attribute_number, bin
order by listener_key, attribute_number, bin
on conflict (listener_key, attribute_number, bin) do update
set plays = b.plays + excluded.plays,
    total = b.total + excluded.total,
    square_total = b.square_total + excluded.square_total;

insert into mart.listener_cluster as c (listener_key, audio_features_type, plays, totals)
select
    k.listener_key,
    k.audio_features_type,
    k.plays,
    array[
        coalesce(sum(s.total) filter (where s.attribute_number = 1), 0)::bigint,
        coalesce(sum(s.total) filter (where s.attribute_number = 2), 0)::bigint,
        coalesce(sum(s.total) filter (where s.attribute_number = 3), 0)::bigint,
        coalesce(sum(s.total) filter (where s.attribute_number = 4), 0)::bigint,
        coalesce(sum(s.total) filter (where s.attribute_number = 5), 0)::bigint,
        coalesce(sum(s.total) filter (where s.attribute_number = 6), 0)::bigint,
        coalesce(sum(s.total) filter (where s.attribute_number = 7), 0)::bigint,
        coalesce(sum(s.total) filter (where s.attribute_number = 8), 0)::bigint,
        coalesce(sum(s.total) filter (where s.attribute_number = 9), 0)::bigint
    ]
from cluster_change as k
left join sound_change as s on s.listener_key = k.listener_key and s.audio_features_type = k.audio_features_type
group by k.listener_key, k.audio_features_type, k.plays
order by k.listener_key, k.audio_features_type
on conflict (listener_key, audio_features_type) do update
set plays = c.plays + excluded.plays,
    totals = (
        select array_agg(before.total + came.total order by before.place)
        from unnest(c.totals) with ordinality as before (total, place)
        inner join unnest(excluded.totals) with ordinality as came (total, place) on came.place = before.place
    );

create temporary table profiled_listener on commit drop as
select distinct listener_key from weighted_point;

delete from mart.listener_figure as f
using profiled_listener as q
where f.plays = 0 and f.listener_key = q.listener_key;

delete from mart.listener_bin as b
using profiled_listener as q
where b.plays = 0 and b.listener_key = q.listener_key;

delete from mart.listener_cluster as c
using profiled_listener as q
where c.plays = 0 and c.listener_key = q.listener_key;
