create unlogged table staging.dim_playlist (
    playlist_id text collate "C",
    name text,
    owner_id text collate "C",
    snapshot_id text collate "C",
    genre text,
    subgenre text,
    source text
);
