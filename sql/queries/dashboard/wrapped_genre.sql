-- The genres that a user played most in a year.
select rank, genre, plays, ms_played
from mart.wrapped_genre
where user_id = :user_id and year = :year
order by rank;
