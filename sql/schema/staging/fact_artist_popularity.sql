create unlogged table staging.fact_artist_popularity (
    artist_id text collate "C",
    asked_on date,
    popularity integer,
    followers bigint
);

comment on table staging.fact_artist_popularity is 'Artists popularity from the API, day by day, on its way to warehouse.fact_artist_popularity.';
comment on column staging.fact_artist_popularity.artist_id is 'The artist.';
comment on column staging.fact_artist_popularity.asked_on is 'The day (UTC) of the call.';
comment on column staging.fact_artist_popularity.popularity is 'The last popularity returned on that day, from 0 to 100.';
comment on column staging.fact_artist_popularity.followers is 'Number of followers in the same response.';
