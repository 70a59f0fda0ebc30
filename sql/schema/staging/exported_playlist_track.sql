create unlogged table staging.exported_playlist_track (
    input_id text collate "C",
    user_id text collate "C",
    seen_at timestamptz,
    playlist_id text collate "C",
    place bigint,
    track_id text collate "C",
    track_name text collate "C",
    artist_name text collate "C",
    added_at timestamptz
);

comment on table staging.exported_playlist_track is 'Tracks on playlists of account exports, on their way to warehouse.fact_playlist_track.';
comment on column staging.exported_playlist_track.input_id is 'The input that contains it.';
comment on column staging.exported_playlist_track.user_id is 'The user whose export it is.';
comment on column staging.exported_playlist_track.seen_at is 'When the export was imported.';
comment on column staging.exported_playlist_track.playlist_id is 'The playlist.';
comment on column staging.exported_playlist_track.place is 'The order of the tracks.';
comment on column staging.exported_playlist_track.track_id is 'Spotify''s id of the track; NULL if the export has none.';
comment on column staging.exported_playlist_track.track_name is 'Its name.';
comment on column staging.exported_playlist_track.artist_name is 'Its artist.';
comment on column staging.exported_playlist_track.added_at is 'The day on which it was added; NULL if the export has no possible one.';
