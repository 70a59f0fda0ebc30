-- The artists that a user played most in a year.
select rank, artist_id, artist_name, plays, ms_played
from mart.wrapped_artist
where user_id = :user_id and year = :year
order by rank;
