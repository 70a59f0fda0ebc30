-- A track that only events report has no length, so its name decides its recording: that of the catalogue's track with
-- this name, else one recording for all such tracks of the name. A track with several names uses the smallest. A load
-- of events examines the tracks that share a name with its events, a load of the catalogue all. Both examine the tracks
-- of decisions, which come before names: a track that a decision separates stands alone, and decided matches join the
-- recordings of such tracks with others.
create temporary table decided_track on commit drop as
select d.is_match, a.track_key, b.track_key as other_track_key
from warehouse.applied_match_decision as d
cross join lateral (values (d.first_id, d.second_id), (d.second_id, d.first_id)) as v (first_id, second_id)
inner join warehouse.dim_track as a on a.track_id = v.first_id
inner join warehouse.dim_track as b on b.track_id = v.second_id
where d.kind = 'recording' and (a.is_inferred or b.is_inferred);

create temporary table inferred_name on commit drop as
with changed as (
    select k.name_id
    from staging.event_named as s
    inner join audit.track_name as n on n.name_id = s.made_track
    inner join audit.track_name as k on k.track_key = n.track_key
    where s.name_set = 'things'
    union
    select n.name_id
    from audit.track_name as n
    where exists (select from staging.load as l where 'dim_track' = any(l.table_names))
    union
    select n.name_id
    from decided_track as d
    inner join audit.track_name as n on n.track_key = d.track_key
)

select t.track_key, min(n.name_id) as name_id
from warehouse.dim_track as t
inner join audit.track_name as n on n.track_key = t.track_key
where t.is_inferred
    and t.merged_into_track_key = 0
    and t.track_key in (
        select c.track_key from audit.track_name as c inner join changed on changed.name_id = c.name_id
    )
group by t.track_key
having min(n.name_id) in (select changed.name_id from changed);

create temporary table inferred_recording on commit drop as
select
    i.track_key,
    case
        when s.track_key is not null then i.track_key
        else coalesce(
            case when not k.is_inferred then k.recording_key end,
            min(i.track_key) over (partition by i.name_id, s.track_key is null)
        )
    end as recording_key
from inferred_name as i
left join (select distinct track_key from decided_track where not is_match) as s on s.track_key = i.track_key
left join warehouse.track_alias as a on a.alias_kind = 'name' and a.alias_value = i.name_id
left join warehouse.dim_track as k on k.track_key = a.track_key;

-- Of the recordings that matches join, the smallest of the catalogue counts, else the smallest.
create temporary table joined_recording on commit drop as
with recursive edge as (
    select
        coalesce(f.recording_key, a.recording_key) as recording_key,
        coalesce(o.recording_key, b.recording_key) as other_recording_key
    from decided_track as d
    inner join warehouse.dim_track as a on a.track_key = d.track_key
    inner join warehouse.dim_track as b on b.track_key = d.other_track_key
    left join inferred_recording as f on f.track_key = d.track_key
    left join inferred_recording as o on o.track_key = d.other_track_key
    where d.is_match
),

reached as (
    select recording_key, recording_key as other_recording_key from edge
    union
    select r.recording_key, e.other_recording_key
    from reached as r
    inner join edge as e on e.recording_key = r.other_recording_key
)

select distinct on (r.recording_key) r.recording_key, t.track_key as joined_recording_key
from reached as r
inner join warehouse.dim_track as t on t.track_key = r.other_recording_key
order by r.recording_key, t.is_inferred, t.track_key;

update warehouse.dim_track as t
set recording_key = r.recording_key
from (
    select i.track_key, coalesce(j.joined_recording_key, i.recording_key) as recording_key
    from inferred_recording as i
    left join joined_recording as j on j.recording_key = i.recording_key
) as r
where t.track_key = r.track_key and t.recording_key <> r.recording_key;

-- Ids that were matched to such a track belong to its recording.
update warehouse.dim_track as t
set recording_key = known.recording_key
from inferred_name as i
inner join warehouse.dim_track as known on known.track_key = i.track_key
where t.merged_into_track_key = i.track_key and t.recording_key <> known.recording_key;
