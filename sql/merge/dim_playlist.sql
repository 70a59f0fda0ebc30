update warehouse.dim_playlist as t
set name = s.name,
    owner_id = s.owner_id,
    snapshot_id = s.snapshot_id,
    genre = s.genre,
    subgenre = s.subgenre,
    source = s.source,
    is_inferred = false
from staging.dim_playlist as s
where t.playlist_id = s.playlist_id
    and (t.name, t.owner_id, t.snapshot_id, t.genre, t.subgenre, t.source, t.is_inferred)
    is distinct from (s.name, s.owner_id, s.snapshot_id, s.genre, s.subgenre, s.source, false);

insert into warehouse.dim_playlist (playlist_key, playlist_id, name, owner_id, snapshot_id, genre, subgenre, source)
select
    (select max(playlist_key) from warehouse.dim_playlist) + row_number() over (order by s.playlist_id),
    s.playlist_id,
    s.name,
    s.owner_id,
    s.snapshot_id,
    s.genre,
    s.subgenre,
    s.source
from staging.dim_playlist as s
where not exists (select from warehouse.dim_playlist as t where t.playlist_id = s.playlist_id)
order by s.playlist_id;
