create unlogged table staging.dim_playlist (
    playlist_id text collate "C",
    name text,
    owner_id text collate "C",
    snapshot_id text collate "C",
    genre text,
    subgenre text,
    source text
);

comment on table staging.dim_playlist is 'Playlists, on their way to warehouse.dim_playlist.';
comment on column staging.dim_playlist.playlist_id is 'Spotify''s playlist id.';
comment on column staging.dim_playlist.name is 'The playlist''s name; NULL only for an inferred playlist.';
comment on column staging.dim_playlist.owner_id is 'The user who owns it, as the API names users; NULL if no API gave it.';
comment on column staging.dim_playlist.snapshot_id is 'The version of its items in fact_playlist_track; NULL if no API gave one.';
comment on column staging.dim_playlist.genre is 'The genre that the source files the playlist under.';
comment on column staging.dim_playlist.subgenre is 'The subgenre that the source files the playlist under.';
comment on column staging.dim_playlist.source is 'The best source that knows the playlist.';
