create unlogged table staging.dim_album (
    album_id text collate "C",
    name text,
    album_type text,
    release_date date,
    release_date_precision text,
    source text
);
