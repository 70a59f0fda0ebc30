create unlogged table staging.event_playlist (
    playlist_id text collate "C",
    source text
);

comment on table staging.event_playlist is 'Playlists that staged events name.';
comment on column staging.event_playlist.playlist_id is 'Spotify''s id.';
comment on column staging.event_playlist.source is 'A source that names the playlist.';
