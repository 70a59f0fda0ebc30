-- The own recordings that are played most; what is not shown by recording stands in one row without one.
select recording_id, track_name, plays
from mart.my_artist_track
order by recording_id is null, plays desc, recording_id;
