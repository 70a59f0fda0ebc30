-- Listeners of each artist with a login, by week, as published in batches: what the artist sees, and nothing else. A
-- week that is not published is not known.
select
    'active_users' as metric,
    'week' as grain,
    'published_artist' as level,
    cast(w.artist_key as text) as segment,
    w.week_start as target_date,
    cast(w.listeners as double precision) as value
from audit.published_artist_week as w
where isfinite(w.week_start) and w.listeners > 0 and w.plays >= 5
    and w.week_start <= (select max(week_start) from known_week)
