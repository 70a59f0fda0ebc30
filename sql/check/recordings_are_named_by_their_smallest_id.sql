-- A recording has not the smallest track id from a source other than the mock API, or of all ids if there is none.
select
    recording_id,
    coalesce(min(track_id) filter (where source <> 'mock_api'), min(track_id)) as smallest_track_id
from staging.dim_track
where recording_id is null or recording_id in (
    select recording_id from staging.dim_track where recording_id <> track_id
)
group by recording_id
having
    recording_id is null or recording_id <> coalesce(min(track_id) filter (where source <> 'mock_api'), min(track_id))
