create unlogged table staging.fact_playlist_track (
    playlist_id text collate "C",
    track_id text collate "C",
    occurrence integer,
    added_at timestamptz
);
