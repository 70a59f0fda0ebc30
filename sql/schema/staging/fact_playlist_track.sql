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
comment on column staging.fact_playlist_track.occurrence is '1 for the first time that the track is in the playlist, 2 for the second.';
comment on column staging.fact_playlist_track.added_at is 'When a user added it, if the source gives it; else NULL.';
comment on column staging.fact_playlist_track.seen_at is 'Time of the snapshot of the row; NULL if files list the playlist.';
