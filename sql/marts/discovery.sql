-- The tastes of users: of those whose plays have changed, or of all if distances are measured again.
create temporary table is_measured_anew on commit drop as
select
from mart.counted_catalogue as n
left join catalogue_before as b on true
where n.fit_id is distinct from b.fit_id;

create temporary table moved_listener on commit drop as
select listener_key from profiled_listener
union
select listener_key from mart.listener_taste where exists (select from is_measured_anew)
union
select listener_key from mart.listener_cluster where exists (select from is_measured_anew);

analyze moved_listener;

create temporary table left_cell on commit drop as
select distinct t.audio_features_type, t.cell
from moved_listener as m
inner join mart.listener_taste as t on t.listener_key = m.listener_key;

delete from mart.listener_taste as t
using moved_listener as m
where t.listener_key = m.listener_key;

insert into mart.listener_taste (listener_key, taste_rank, audio_features_type, plays, position, cell)
select
    r.listener_key,
    r.taste_rank,
    r.audio_features_type,
    r.plays,
    s.position,
    (select array_agg(round(p.z)::smallint order by p.place) from unnest(s.position) with ordinality as p (z, place))
from (
    select
        c.*,
        row_number() over (partition by c.listener_key order by c.plays desc, c.audio_features_type) as taste_rank
    from moved_listener as m
    inner join mart.listener_cluster as c on c.listener_key = m.listener_key
) as r
cross join mart.audio_scale as f
cross join lateral mart.audio_position(r.totals, r.plays, f.means, f.deviations) as s (position)
where r.taste_rank <= 3
order by r.listener_key, r.taste_rank;

analyze mart.listener_taste;

-- Recordings that were added, removed or have moved.
create temporary table moved_point on commit drop as
select c.recording_key, n.audio_features_type, n.steps, coalesce(n.is_excluded, true) as is_excluded
from changed_point as c
left join point_before as b on b.recording_key = c.recording_key
left join point_now as n on n.recording_key = c.recording_key
where (b.audio_features_type, b.is_excluded, b.steps) is distinct from (n.audio_features_type, n.is_excluded, n.steps);

-- The cells whose pools may have changed: those that were not needed before or are needed now, and those that a changed
-- recording leaves or enters.
create temporary table renewed_cell on commit drop as
select c.audio_features_type, c.cell
from left_cell as c
where not exists (
    select from mart.listener_taste as t where t.audio_features_type = c.audio_features_type and t.cell = c.cell
)
union
select t.audio_features_type, t.cell
from moved_listener as m
inner join mart.listener_taste as t on t.listener_key = m.listener_key
where not exists (
    select from mart.discovery_cell as c where c.audio_features_type = t.audio_features_type and c.cell = t.cell
)
union
select p.audio_features_type, p.cell
from moved_point as n
inner join mart.discovery_pool as p on p.recording_key = n.recording_key
union
select c.audio_features_type, c.cell
from moved_point as n
cross join mart.audio_scale as f
cross join lateral mart.audio_position(n.steps::bigint[], 1, f.means, f.deviations) as s (position)
inner join mart.discovery_cell as c on c.audio_features_type = n.audio_features_type
where not n.is_excluded
    and (c.recordings < 300 or mart.distance(s.position, c.cell::double precision[]) <= c.reach)
union
select c.audio_features_type, c.cell
from mart.discovery_cell as c
where exists (select from is_measured_anew);

analyze renewed_cell;

delete from mart.discovery_cell as c
using renewed_cell as r
where c.audio_features_type = r.audio_features_type and c.cell = r.cell;

delete from mart.discovery_pool as p
using renewed_cell as r
where p.audio_features_type = r.audio_features_type and p.cell = r.cell;

create temporary table near_point on commit drop as
select p.recording_key, p.audio_features_type, s.position
from mart.audio_point as p
cross join mart.audio_scale as f
cross join lateral mart.audio_position(p.steps::bigint[], 1, f.means, f.deviations) as s (position)
where exists (select from renewed_cell)
    and p.audio_features_type in (select audio_features_type from renewed_cell)
    and not p.is_excluded
    and array_position(p.steps, null) is null;

create index on near_point (audio_features_type);
analyze near_point;

create temporary table near_cell on commit drop as
select r.audio_features_type, r.cell, n.recording_key, n.position, n.distance
from (select *, cell::double precision[] as middle from renewed_cell offset 0) as r
cross join lateral (
    select p.recording_key, p.position, mart.distance(p.position, r.middle) as distance
    from near_point as p
    where p.audio_features_type = r.audio_features_type
    order by distance, p.recording_key
    limit 300
) as n
where exists (
    select from mart.listener_taste as t where t.audio_features_type = r.audio_features_type and t.cell = r.cell
);

insert into mart.discovery_cell (audio_features_type, cell, recordings, reach)
select audio_features_type, cell, count(*), max(distance)
from near_cell
group by audio_features_type, cell
order by audio_features_type, cell;

insert into mart.discovery_pool (audio_features_type, cell, recording_key, position)
select audio_features_type, cell, recording_key, position
from near_cell
order by audio_features_type, cell, recording_key;

analyze mart.discovery_pool;

-- From each of the clusters a user gets the cluster's fraction of the plays, times fifty.
create temporary table led_listener on commit drop as
select listener_key from moved_listener
union
select t.listener_key
from renewed_cell as r
inner join mart.listener_taste as t on t.audio_features_type = r.audio_features_type and t.cell = r.cell;

analyze led_listener;

delete from mart.discovered_track as d
using led_listener as l
where d.listener_key = l.listener_key;

insert into mart.discovered_track (listener_key, rank, audio_features_type, recording_key, distance)
select
    l.listener_key,
    row_number() over (partition by l.listener_key order by d.distance, d.recording_key),
    d.audio_features_type,
    d.recording_key,
    d.distance
from led_listener as l
cross join lateral (
    select n.audio_features_type, n.recording_key, n.distance
    from (select *, sum(plays) over () as all_plays from mart.listener_taste where listener_key = l.listener_key) as t
    cross join lateral (
        select p.audio_features_type, p.recording_key, mart.distance(p.position, t.position) as distance
        from mart.discovery_pool as p
        where p.audio_features_type = t.audio_features_type
            and p.cell = t.cell
            and not exists (
                select
                from mart.counted_track as h
                inner join mart.counted_play as c on c.track_key = h.track_key and c.listener_key = l.listener_key
                where h.recording_key = p.recording_key and not c.is_excluded
            )
        order by distance, p.recording_key
        limit ceil(50 * t.plays / t.all_plays)
    ) as n
    order by n.distance, n.recording_key
    limit 50
) as d
order by 1, 2;
