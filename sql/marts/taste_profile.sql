-- What users' plays add to the sums and subtract from them: added and removed plays count with the current recording;
-- earlier plays of a changed recording are subtracted with its previous values and added with its current ones.
create temporary table recording_change on commit drop as
select listener_key, recording_key, sum(plays)::bigint as plays
from play_change
where recording_key > 0
group by listener_key, recording_key
having sum(plays) <> 0;

analyze recording_change;

create temporary table played_before on commit drop as
select listener_key, recording_key, sum(plays)::bigint as plays
from (
    select p.listener_key, t.recording_key, count(*) as plays
    from point_before as b
    inner join mart.counted_track as t on t.recording_key = b.recording_key
    inner join mart.counted_play as p on p.track_key = t.track_key
    where not p.is_excluded
    group by p.listener_key, t.recording_key
    union all
    select c.listener_key, c.recording_key, -c.plays
    from point_before as b
    inner join recording_change as c on c.recording_key = b.recording_key
) as counted
group by listener_key, recording_key;

analyze played_before;

-- Each with the current values of its recording or the former ones.
create temporary table weighted_recording on commit drop as
select listener_key, recording_key, plays, false as is_former from recording_change
union all
select listener_key, recording_key, plays, false from played_before
union all
select listener_key, recording_key, -plays, true from played_before;

analyze weighted_recording;

create temporary table weighted_point on commit drop as
select p.*, false as is_former
from (select distinct recording_key from weighted_recording) as r
inner join mart.audio_point as p on p.recording_key = r.recording_key
union all
select b.*, true from point_before as b;

-- Statistics of the keys only: those of arrays cost more than they help.
analyze weighted_point (recording_key, is_former, audio_features_type);

-- The bins once a recording, not once a play.
create temporary table point_value on commit drop as
select p.recording_key, p.is_former, p.audio_features_type, v.attribute_number, v.bin, v.steps
from weighted_point as p
cross join lateral mart.audio_values(p.steps) as v;

analyze point_value;

insert into mart.listener_figure as f (listener_key, plays, featured_plays, dated_plays, newness_total)
select
    w.listener_key,
    sum(w.plays),
    coalesce(sum(w.plays) filter (where p.track_key is not null), 0),
    coalesce(sum(w.plays) filter (where p.newness_millionths is not null), 0),
    coalesce(sum(w.plays * p.newness_millionths), 0)
from weighted_recording as w
left join weighted_point as p on p.recording_key = w.recording_key and p.is_former = w.is_former
group by w.listener_key
order by listener_key
on conflict (listener_key) do update
set plays = f.plays + excluded.plays,
    featured_plays = f.featured_plays + excluded.featured_plays,
    dated_plays = f.dated_plays + excluded.dated_plays,
    newness_total = f.newness_total + excluded.newness_total;

create temporary table sound_change on commit drop as
select
    w.listener_key,
    v.audio_features_type,
    v.attribute_number,
    v.bin,
    sum(w.plays)::bigint as plays,
    sum(w.plays * v.steps)::bigint as total,
    sum(w.plays * v.steps * v.steps)::bigint as square_total
from weighted_recording as w
inner join point_value as v on v.recording_key = w.recording_key and v.is_former = w.is_former
group by w.listener_key, v.audio_features_type, v.attribute_number, v.bin
having sum(w.plays) <> 0 or sum(w.plays * v.steps) <> 0 or sum(w.plays * v.steps * v.steps) <> 0;

create temporary table cluster_change on commit drop as
select w.listener_key, p.audio_features_type, sum(w.plays)::bigint as plays
from weighted_recording as w
inner join weighted_point as p on p.recording_key = w.recording_key and p.is_former = w.is_former
where p.audio_features_type is not null
group by w.listener_key, p.audio_features_type;

analyze sound_change;
analyze cluster_change;

create temporary table bin_before on commit drop as
select b.*
from (select distinct listener_key, attribute_number from sound_change) as c
inner join mart.listener_bin as b on b.listener_key = c.listener_key and b.attribute_number = c.attribute_number;

analyze bin_before (listener_key, attribute_number);

delete from mart.listener_bin as c
using bin_before as b
where c.listener_key = b.listener_key and c.attribute_number = b.attribute_number;

insert into mart.listener_bin (listener_key, attribute_number, bins, plays, total, square_total)
select
    listener_key,
    attribute_number,
    array_agg(bin) filter (where plays <> 0),
    array_agg(plays) filter (where plays <> 0),
    sum(total)::bigint,
    sum(square_total)::bigint
from (
    select
        listener_key,
        attribute_number,
        bin,
        sum(plays)::bigint as plays,
        sum(total) as total,
        sum(square_total) as square_total
    from (
        select listener_key, attribute_number, bin, plays, total, square_total from sound_change
        union all
        select
            b.listener_key,
            b.attribute_number,
            i.bin,
            i.plays,
            case when i.number = 1 then b.total else 0 end,
            case when i.number = 1 then b.square_total else 0 end
        from bin_before as b
        cross join lateral unnest(b.bins, b.plays) with ordinality as i (bin, plays, number)
    ) as counted
    group by listener_key, attribute_number, bin
    order by listener_key, attribute_number, bin
) as c
group by listener_key, attribute_number
having sum(plays) <> 0;

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
select distinct listener_key from weighted_recording;

delete from mart.listener_figure as f
using profiled_listener as q
where f.plays = 0 and f.listener_key = q.listener_key;

delete from mart.listener_cluster as c
using profiled_listener as q
where c.plays = 0 and c.listener_key = q.listener_key;
