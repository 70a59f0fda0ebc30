-- A track that only events report has no length, so its name decides its recording: that of the catalogue's track with
-- this name, else one recording for all such tracks of the name. A track with several names uses the smallest. A load
-- of events examines the tracks that share a name with its events, a load of the catalogue all.
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

update warehouse.dim_track as t
set recording_key = r.recording_key
from (
    select
        i.track_key,
        coalesce(
            case when not k.is_inferred then k.recording_key end,
            min(i.track_key) over (partition by i.name_id)
        ) as recording_key
    from inferred_name as i
    left join warehouse.track_alias as a on a.alias_kind = 'name' and a.alias_value = i.name_id
    left join warehouse.dim_track as k on k.track_key = a.track_key
) as r
where t.track_key = r.track_key and t.recording_key <> r.recording_key;

-- Ids that were matched to such a track belong to its recording.
update warehouse.dim_track as t
set recording_key = known.recording_key
from inferred_name as i
inner join warehouse.dim_track as known on known.track_key = i.track_key
where t.merged_into_track_key = i.track_key and t.recording_key <> known.recording_key;
