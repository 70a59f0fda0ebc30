create unlogged table staging.fact_artist_popularity (
    artist_id text collate "C",
    asked_on date,
    popularity integer,
    followers bigint
);

comment on table staging.fact_artist_popularity is 'What the API said of artists, day by day, on its way to warehouse.fact_artist_popularity.';
comment on column staging.fact_artist_popularity.artist_id is 'The artist.';
comment on column staging.fact_artist_popularity.asked_on is 'The day in UTC on which the API was asked.';
comment on column staging.fact_artist_popularity.popularity is 'The last that it said on that day, from 0 to 100.';
comment on column staging.fact_artist_popularity.followers is 'Number of followers that it said with it.';
