-- The own recordings that are played most; those of few listeners stand in one row without a name.
select recording_id, track_name, plays
from mart.my_artist_track
order by recording_id is null, plays desc, recording_id;
