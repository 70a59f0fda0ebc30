-- What staged events name, by the track that it means, and that track's first artist.
select s.track_id, a.track_key, coalesce(f.artist_key, -1) as first_artist_key
from staging.event_track as s
inner join warehouse.track_alias as a
    on a.alias_value = s.track_id
    and a.alias_kind = case when s.track_id like 'name:%' then 'name' else 'spotify_id' end
left join lateral (
    select b.artist_key from warehouse.bridge_track_artist as b where b.track_key = a.track_key order by b.position limit 1
) as f on true
