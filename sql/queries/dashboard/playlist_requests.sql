-- The current user's playlist requests, and whether the playlists have been read.
select w.playlist_id, w.requested_at, p.playlist
from mart.playlist_request as w
left join mart.playlist_profile as p on p.playlist_id = w.playlist_id
order by w.requested_at desc;
