-- An artist's audience by week.
select week_start, plays, listeners, new_listeners, returning_listeners
from mart.artist_audience
where artist_id = :artist_id
order by week_start;
