insert into warehouse.dim_genre (genre_key, genre)
select (select max(genre_key) from warehouse.dim_genre) + row_number() over (order by s.genre), s.genre
from (select distinct genre collate "C" as genre from staging.bridge_track_genre) as s
where not exists (select from warehouse.dim_genre as t where t.genre = s.genre)
order by s.genre;
