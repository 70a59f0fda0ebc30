create table warehouse.dim_album (
    album_key integer not null,
    album_id text collate "C" not null,
    name text,
    album_type text,
    release_date date,
    release_date_precision text,
    source text not null,
    constraint dim_album_pkey primary key (album_key),
    constraint dim_album_album_id_key unique (album_id),
    constraint dim_album_release_date_has_precision check ((release_date is null) = (release_date_precision is null)),
    constraint dim_album_release_date_precision_known check (release_date_precision in ('year', 'month', 'day'))
);

comment on table warehouse.dim_album is 'An album, single or compilation.';
comment on column warehouse.dim_album.album_key is 'Surrogate key; 0 is "not applicable", -1 "unknown".';
comment on column warehouse.dim_album.album_id is 'Spotify''s album id, or a name-derived id "name:<hash>" if no source gives one.';
comment on column warehouse.dim_album.name is 'The album''s name.';
comment on column warehouse.dim_album.album_type is 'Kind of album as the API names it: album, single, compilation; NULL if no source gives it.';
comment on column warehouse.dim_album.release_date is 'Release date; the first day of the year or month if only that is known.';
comment on column warehouse.dim_album.release_date_precision is 'Precision of the release date: year, month or day.';
comment on column warehouse.dim_album.source is 'The best source that knows the album.';

insert into warehouse.dim_album (album_key, album_id, name, source) values
    (0, 'not applicable', 'Not applicable', 'warehouse'),
    (-1, 'unknown', 'Unknown', 'warehouse');
