create unlogged table staging.bridge_track_artist (
    track_id text collate "C",
    artist_id text collate "C",
    position integer
);
