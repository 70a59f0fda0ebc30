-- The names that staged events give tracks with an id; an id that is only an alias counts as the track that it links
-- to.
insert into audit.track_name (track_key, name_id)
select distinct a.track_key, n.made_track
from staging.event_named as n
cross join lateral (
    select t.track_key
    from warehouse.track_alias as t
    where t.alias_kind in ('spotify_id', 'linked_id') and t.alias_value = n.track_id
    order by t.alias_kind = 'linked_id'
    limit 1
) as a
where n.name_set = 'things' and n.track_id is not null and n.made_track is not null
on conflict do nothing;
