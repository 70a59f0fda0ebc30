create view staging.album_key as
select album_id, album_key, false as is_new
from warehouse.dim_album
union all
select
    s.album_id,
    ((select max(album_key) from warehouse.dim_album) + row_number() over (order by s.album_id))::integer,
    true
from staging.dim_album as s
where not exists (select from warehouse.dim_album as t where t.album_id = s.album_id);

comment on view staging.album_key is 'Key of every published album, and the one that each new staged album gets.';
comment on column staging.album_key.album_id is 'The album''s id.';
comment on column staging.album_key.album_key is 'Its key.';
comment on column staging.album_key.is_new is 'Whether it is staged and not published yet.';
