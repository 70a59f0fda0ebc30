-- The recordings that a user played most in a year.
select rank, recording_id, track_name, artist_name, plays, ms_played
from mart.wrapped_track
where user_id = :user_id and year = :year
order by rank;
