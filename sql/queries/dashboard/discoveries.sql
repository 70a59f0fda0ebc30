-- Recordings near a user's taste that the user has not played.
select rank, track, artist, reason, distance
from mart.discovery
where user_id = :user_id
order by rank;
