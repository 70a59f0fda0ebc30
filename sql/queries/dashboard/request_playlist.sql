-- Request a playlist.
select mart.request_playlist(:playlist_id);
