insert into warehouse.dim_artist (artist_key, artist_id, name, source, is_inferred)
select
    (select max(artist_key) from warehouse.dim_artist) + row_number() over (order by s.artist_id),
    s.artist_id,
    s.name,
    s.source,
    true
from staging.event_artist_key as s
where s.artist_key is null
order by s.artist_id;
