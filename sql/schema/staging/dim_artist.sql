create unlogged table staging.dim_artist (
    artist_id text collate "C",
    name text,
    popularity integer,
    popularity_source text,
    followers bigint,
    source text,
    made_id text collate "C",
    variant_made_id text collate "C"
);

comment on table staging.dim_artist is 'Artists, on their way to warehouse.dim_artist.';
comment on column staging.dim_artist.artist_id is 'Spotify''s artist id, or a name-derived id "name:<hash>" if no source gives one.';
comment on column staging.dim_artist.name is 'The artist''s name; NULL only for an inferred artist.';
comment on column staging.dim_artist.popularity is 'Popularity from 0 to 100.';
comment on column staging.dim_artist.popularity_source is 'Where the popularity comes from: a source, or "derived" for the median of the artist''s tracks.';
comment on column staging.dim_artist.followers is 'Number of followers.';
comment on column staging.dim_artist.source is 'The best source that knows the artist.';
comment on column staging.dim_artist.made_id is 'The id that the name alone gives.';
comment on column staging.dim_artist.variant_made_id is 'The name-derived id of the other spelling of an artist; NULL if there is none.';
