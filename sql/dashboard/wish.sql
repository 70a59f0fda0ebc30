-- Ask for a playlist.
insert into mart.my_playlist_wish (user_id, playlist_id)
values (:user_id, :playlist_id)
on conflict do nothing;
