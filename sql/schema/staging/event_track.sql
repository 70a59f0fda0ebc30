create unlogged table staging.event_track (
    track_id text collate "C",
    name text,
    artist_id text collate "C",
    source text
);

comment on table staging.event_track is 'Tracks that staged events name.';
comment on column staging.event_track.track_id is 'Spotify''s id, or one made of title and artist.';
comment on column staging.event_track.name is 'The title, if an event gives it; else NULL.';
comment on column staging.event_track.artist_id is 'Its artist, if an event gives it; else NULL.';
comment on column staging.event_track.source is 'A source that names the track.';
