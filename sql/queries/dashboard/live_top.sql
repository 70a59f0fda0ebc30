-- The most played songs, artists or genres of a continent between two hours.
select k.item_id, min(k.name) as name, min(k.artist_name) as artist_name, sum(c.plays + c.late_plays) as plays
from live.continent_hour as c
inner join live.track as t on t.track_id = c.track_id
cross join lateral (
    values
        ('recording', t.track_id, t.track_name, t.artist_name),
        ('artist', t.artist_id, t.artist_name, null),
        ('genre', t.genre, t.genre, null)
) as k (kind, item_id, name, artist_name)
where c.hour_start >= :period_start
    and c.hour_start < :period_end
    and c.continent = any(:continents)
    and k.kind = :kind
    and k.item_id <> ''
group by k.item_id
having sum(c.plays + c.late_plays) > 0
order by sum(c.plays + c.late_plays) desc, k.item_id
limit 20;
