select t.playlist_id, t.playlist_key
from warehouse.dim_playlist as t
where t.playlist_id in (select playlist_id from staging.event_playlist)
