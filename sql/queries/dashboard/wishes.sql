-- The playlists that whoever asks has asked for, and whether they have come.
select w.playlist_id, w.wished_at, p.playlist
from mart.playlist_wish as w
left join mart.playlist_profile as p on p.playlist_id = w.playlist_id
order by w.wished_at desc;
