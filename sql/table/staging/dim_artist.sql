create unlogged table staging.dim_artist (
    artist_id text collate "C",
    name text,
    popularity integer,
    popularity_source text,
    followers bigint,
    source text
);
