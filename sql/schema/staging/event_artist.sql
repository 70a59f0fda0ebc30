create unlogged table staging.event_artist (
    artist_id text collate "C",
    name text,
    source text
);

comment on table staging.event_artist is 'Artists that staged events name.';
comment on column staging.event_artist.artist_id is 'Spotify''s id, or one made of the name.';
comment on column staging.event_artist.name is 'The name, if an event gives it; else NULL.';
comment on column staging.event_artist.source is 'A source that names the artist.';
