create unlogged table staging.bridge_track_genre (
    track_id text collate "C",
    genre text,
    source text,
    weight double precision
);

comment on table staging.bridge_track_genre is 'Genres of tracks, on their way to warehouse.bridge_track_genre.';
comment on column staging.bridge_track_genre.track_id is 'The track.';
comment on column staging.bridge_track_genre.genre is 'The genre.';
comment on column staging.bridge_track_genre.source is 'The source of the value.';
comment on column staging.bridge_track_genre.weight is 'Fraction of the track that belongs to the genre; a track''s weights sum to 1.';
