-- A recording is not named by the smallest of its track ids that not the mock API alone tells of, else by the smallest.
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
