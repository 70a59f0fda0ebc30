create unlogged table staging.playlist_snapshot (
    playlist_id text collate "C",
    seen_at timestamptz
);

comment on table staging.playlist_snapshot is 'Snapshots of playlists, on their way to warehouse.fact_playlist_track; one without rows there was empty.';
comment on column staging.playlist_snapshot.playlist_id is 'The playlist.';
comment on column staging.playlist_snapshot.seen_at is 'When the API first returned this snapshot.';
