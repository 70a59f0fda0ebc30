-- The newest hour with plays, and the day that it belongs to (UTC).
select max(hour_start) as hour_start, date_trunc('day', max(hour_start), 'UTC') as day_start
from live.continent_hour
where hour_start <= (select max(updated_at) from live.progress);
