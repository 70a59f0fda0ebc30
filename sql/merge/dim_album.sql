update warehouse.dim_album as t
set name = s.name,
    album_type = s.album_type,
    release_date = s.release_date,
    release_date_precision = s.release_date_precision,
    source = s.source
from staging.dim_album as s
where t.album_id = s.album_id
    and (t.name, t.album_type, t.release_date, t.release_date_precision, t.source)
    is distinct from (s.name, s.album_type, s.release_date, s.release_date_precision, s.source);

insert into warehouse.dim_album (album_key, album_id, name, album_type, release_date, release_date_precision, source)
select
    k.album_key,
    s.album_id,
    s.name,
    s.album_type,
    s.release_date,
    s.release_date_precision,
    s.source
from staging.dim_album as s
inner join staging.album_key as k on k.album_id = s.album_id
where k.is_new
order by k.album_key;

analyze warehouse.dim_album;
