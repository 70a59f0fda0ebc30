-- Artists with an id or a name; the most popular first.
select artist_id, name as artist_name
from warehouse.dim_artist
where artist_key > 0 and (artist_id = :named or lower(name) = lower(:named))
order by artist_id = :named desc, popularity desc nulls last, artist_key
limit 1;
