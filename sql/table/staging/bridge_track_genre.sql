create unlogged table staging.bridge_track_genre (
    track_id text collate "C",
    genre text,
    source text,
    weight double precision
);
