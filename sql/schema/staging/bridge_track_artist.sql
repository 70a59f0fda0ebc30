create unlogged table staging.bridge_track_artist (
    track_id text collate "C",
    artist_id text collate "C",
    position integer
);

comment on table staging.bridge_track_artist is 'Artists of tracks, on their way to warehouse.bridge_track_artist.';
comment on column staging.bridge_track_artist.track_id is 'The track.';
comment on column staging.bridge_track_artist.artist_id is 'The artist.';
comment on column staging.bridge_track_artist.position is 'Position in the track''s list of artists; the smallest is the main artist.';
