create view mart.my_playlist_request with (security_barrier) as
select w.user_id, w.playlist_id, w.requested_at
from audit.playlist_request as w
where w.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_playlist_request is 'Playlists that you requested: the next refresh of your account reads them. Call mart.request_playlist(playlist_id) to request one, mart.withdraw_playlist_request(playlist_id) to withdraw the request.';
comment on column mart.my_playlist_request.user_id is 'You.';
comment on column mart.my_playlist_request.playlist_id is 'Spotify''s id of the playlist, the last part of its link.';
comment on column mart.my_playlist_request.requested_at is 'Time of your request.';
