create unlogged table staging.dim_album (
    album_id text collate "C",
    name text,
    album_type text,
    release_date date,
    release_date_precision text,
    source text
);

comment on table staging.dim_album is 'Albums, on their way to warehouse.dim_album.';
comment on column staging.dim_album.album_id is 'Spotify''s album id, or a name-derived id "name:<hash>" if no source gives one.';
comment on column staging.dim_album.name is 'The album''s name.';
comment on column staging.dim_album.album_type is 'Kind of album as the API names it: album, single, compilation; NULL if no source gives it.';
comment on column staging.dim_album.release_date is 'Release date; the first day of the year or month if only that is known.';
comment on column staging.dim_album.release_date_precision is 'Precision of the release date: year, month or day.';
comment on column staging.dim_album.source is 'The best source that knows the album.';
