create unlogged table staging.fact_track_popularity (
    track_id text collate "C",
    asked_on date,
    popularity integer
);

comment on table staging.fact_track_popularity is 'Tracks popularity from the API, day by day, on its way to warehouse.fact_track_popularity.';
comment on column staging.fact_track_popularity.track_id is 'The track.';
comment on column staging.fact_track_popularity.asked_on is 'The day (UTC) of the call.';
comment on column staging.fact_track_popularity.popularity is 'The last popularity returned on that day, from 0 to 100.';
