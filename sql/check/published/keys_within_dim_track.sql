-- A track's recording or the track that it was merged into is missing, or is itself part of another.
select t.track_id, t.track_key, t.recording_key, t.merged_into_track_key
from warehouse.dim_track as t
left join warehouse.dim_track as r on r.track_key = t.recording_key
left join warehouse.dim_track as m on m.track_key = t.merged_into_track_key
where (t.recording_key <> t.track_key or t.merged_into_track_key <> 0)
    and (
        r.track_key is null
        or r.recording_key <> r.track_key
        or m.track_key is null
        or m.merged_into_track_key <> 0
    )
