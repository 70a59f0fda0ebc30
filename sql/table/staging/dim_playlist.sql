create unlogged table staging.dim_playlist (
    playlist_id text collate "C",
    name text,
    genre text,
    subgenre text,
    source text
);
