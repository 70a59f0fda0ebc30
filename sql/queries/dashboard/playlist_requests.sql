-- The playlists that whoever asks has asked for, and whether they have come.
select w.playlist_id, w.requested_at, p.playlist
from mart.playlist_request as w
left join mart.playlist_profile as p on p.playlist_id = w.playlist_id
order by w.requested_at desc;
