create temporary table track_genre on commit drop as
select t.track_key, g.genre_key, s.source, s.weight
from staging.bridge_track_genre as s
inner join warehouse.dim_track as t on t.track_id = s.track_id
inner join warehouse.dim_genre as g on g.genre = s.genre;

analyze track_genre;

-- A staged track without a genre loses its previous genres.
delete from warehouse.bridge_track_genre as t
using warehouse.dim_track as d
where d.track_key = t.track_key
    and exists (select from staging.dim_track as s where s.track_id = d.track_id)
    and exists (select from staging.load where 'bridge_track_genre' = any(table_names))
    and not exists (
        select from track_genre as s where s.track_key = t.track_key and s.genre_key = t.genre_key
    );

update warehouse.bridge_track_genre as t
set source = s.source, weight = s.weight
from track_genre as s
where s.track_key = t.track_key
    and s.genre_key = t.genre_key
    and (t.source, t.weight) is distinct from (s.source, s.weight);

insert into warehouse.bridge_track_genre (track_key, genre_key, source, weight)
select s.track_key, s.genre_key, s.source, s.weight
from track_genre as s
where not exists (
    select from warehouse.bridge_track_genre as t where t.track_key = s.track_key and t.genre_key = s.genre_key
)
order by s.track_key, s.genre_key;

analyze warehouse.bridge_track_genre;
