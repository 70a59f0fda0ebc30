-- A track has no artist.
select s.track_id, s.name
from staging.dim_track as s
where exists (select from staging.load where 'bridge_track_artist' = any(table_names))
    and not exists (select from staging.bridge_track_artist as b where b.track_id = s.track_id)
