-- Ask for a playlist.
select mart.wish_for_playlist(:playlist_id);
