create unlogged table staging.fact_playlist_track (
    playlist_id text collate "C",
    track_id text collate "C",
    occurrence integer,
    added_at timestamptz,
    seen_at timestamptz
);

comment on table staging.fact_playlist_track is 'Tracks in playlists, on their way to warehouse.fact_playlist_track.';
comment on column staging.fact_playlist_track.playlist_id is 'The playlist.';
comment on column staging.fact_playlist_track.track_id is 'The track.';
comment on column staging.fact_playlist_track.occurrence is '1 for the first time that the track stands in the playlist, 2 for the second.';
comment on column staging.fact_playlist_track.added_at is 'When somebody added it, where the source says so.';
comment on column staging.fact_playlist_track.seen_at is 'The snapshot that the row is of; NULL where files list the playlist.';
