-- The artist's own listeners by week, as the newest run forecast them; none if it did not forecast them.
select target_date, q025, q10, q50, q90, q975, last_published_week
from mart.my_artist_forecast
where metric = 'active_users' and grain = 'week' and is_current
order by target_date;
