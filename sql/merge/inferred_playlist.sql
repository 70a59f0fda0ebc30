insert into warehouse.dim_playlist (playlist_key, playlist_id, source, is_inferred)
select
    (select max(playlist_key) from warehouse.dim_playlist) + row_number() over (order by s.playlist_id),
    s.playlist_id,
    s.source,
    true
from staging.event_playlist as s
where not exists (select from warehouse.dim_playlist as t where t.playlist_id = s.playlist_id)
order by s.playlist_id;
