-- The artist's own most played recordings; plays that are not shown by recording are in one row without one.
select recording_id, track_name, plays
from mart.my_artist_track
order by recording_id is null, plays desc, recording_id;
