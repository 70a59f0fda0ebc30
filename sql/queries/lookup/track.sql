-- The track that each staged event means, and its first artist. An id that no source reports itself may be one that the
-- API has linked to another.
select s.track_id, k.track_key, coalesce(f.artist_key, -1) as first_artist_key
from staging.event_track as s
left join warehouse.track_alias as a
    on a.alias_value = s.track_id
    and a.alias_kind = case when s.track_id like 'name:%' then 'name' else 'spotify_id' end
left join warehouse.track_alias as l on l.alias_value = s.track_id and l.alias_kind = 'linked_id'
cross join lateral (select coalesce(a.track_key, l.track_key) as track_key) as k
left join lateral (
    select b.artist_key
    from warehouse.bridge_track_artist as b
    where b.track_key = k.track_key
    order by b.position
    limit 1
) as f on true
where k.track_key is not null
