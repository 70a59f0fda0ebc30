create table warehouse.dim_artist (
    artist_key integer not null,
    artist_id text collate "C" not null,
    name text,
    popularity smallint,
    popularity_source text,
    followers bigint,
    source text not null,
    is_inferred boolean not null default false,
    made_id text collate "C",
    variant_made_id text collate "C",
    constraint dim_artist_pkey primary key (artist_key),
    constraint dim_artist_artist_id_key unique (artist_id),
    constraint dim_artist_is_named check (is_inferred or name is not null),
    constraint dim_artist_popularity_in_range check (popularity between 0 and 100),
    constraint dim_artist_popularity_has_source check (popularity is null or popularity_source is not null),
    constraint dim_artist_followers_not_negative check (followers >= 0)
);

create index dim_artist_made_id_idx on warehouse.dim_artist (made_id);

-- Artists without a folded name are found by the name as it is, which may be too long for a B-tree.
create index dim_artist_name_idx on warehouse.dim_artist using hash (lower(name)) where made_id is null;
create index dim_artist_variant_made_id_idx on warehouse.dim_artist (variant_made_id) where variant_made_id is not null;

comment on table warehouse.dim_artist is 'An artist.';
comment on column warehouse.dim_artist.artist_key is 'Surrogate key; 0 is "not applicable", -1 "unknown".';
comment on column warehouse.dim_artist.artist_id is 'Spotify''s artist id, or a name-derived id "name:<hash>" if no source gives one.';
comment on column warehouse.dim_artist.name is 'The artist''s name; NULL only for an inferred artist.';
comment on column warehouse.dim_artist.popularity is 'Popularity from 0 to 100.';
comment on column warehouse.dim_artist.popularity_source is 'Where the popularity comes from: a source, or "derived" for the median of the artist''s tracks.';
comment on column warehouse.dim_artist.followers is 'Number of followers.';
comment on column warehouse.dim_artist.source is 'The best source that knows the artist.';
comment on column warehouse.dim_artist.is_inferred is 'Whether only the id is known so far; completed later under the same key.';
comment on column warehouse.dim_artist.made_id is 'The name-derived id "name:<hash>" of the artist''s name, for events that give only the name; NULL if only events named the artist, by an id.';
comment on column warehouse.dim_artist.variant_made_id is 'The name-derived id of the other spelling, with or without the leading "the", if a recording credited to both makes them one artist; else NULL.';

insert into warehouse.dim_artist (artist_key, artist_id, name, source) values
    (0, 'not applicable', 'Not applicable', 'warehouse'),
    (-1, 'unknown', 'Unknown', 'warehouse');
