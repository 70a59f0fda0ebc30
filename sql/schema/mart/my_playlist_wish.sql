create view mart.my_playlist_wish with (security_barrier) as
select w.user_id, w.playlist_id, w.wished_at
from audit.playlist_wish as w
where w.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_playlist_wish is 'Playlists that you asked for: the next refresh of your account reads them. Call mart.wish_for_playlist(playlist_id) to ask for one, mart.take_back_wish(playlist_id) to take that back.';
comment on column mart.my_playlist_wish.user_id is 'You.';
comment on column mart.my_playlist_wish.playlist_id is 'Spotify''s id of the playlist, the last part of its link.';
comment on column mart.my_playlist_wish.wished_at is 'When you asked.';
