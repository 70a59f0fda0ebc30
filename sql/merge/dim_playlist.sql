update warehouse.dim_playlist as t
set name = s.name, genre = s.genre, subgenre = s.subgenre, source = s.source, is_inferred = false
from staging.dim_playlist as s
where t.playlist_id = s.playlist_id
    and (t.name, t.genre, t.subgenre, t.source, t.is_inferred)
    is distinct from (s.name, s.genre, s.subgenre, s.source, false);

-- What is new to this run has no history: its members are there since nobody knows when.
create temporary table fresh_playlist on commit drop as
select
    (select max(playlist_key) from warehouse.dim_playlist) + row_number() over (order by s.playlist_id) as playlist_key,
    s.*
from staging.dim_playlist as s
where not exists (select from warehouse.dim_playlist as t where t.playlist_id = s.playlist_id);

insert into warehouse.dim_playlist (playlist_key, playlist_id, name, genre, subgenre, source)
select playlist_key, playlist_id, name, genre, subgenre, source
from fresh_playlist
order by playlist_id;
