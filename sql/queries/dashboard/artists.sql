-- Artists to choose from, the most played first.
select a.artist_id, a.name as artist_name
from mart.artist_week as w
inner join warehouse.dim_artist as a on a.artist_key = w.artist_key
where a.artist_key > 0
group by a.artist_key, a.artist_id, a.name
order by sum(w.plays) desc, a.artist_key
limit 50;
