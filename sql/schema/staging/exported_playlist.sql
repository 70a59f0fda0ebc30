create unlogged table staging.exported_playlist (
    input_id text collate "C",
    user_id text collate "C",
    seen_at timestamptz,
    file_name text collate "C",
    is_alone boolean,
    playlist_id text collate "C",
    name text collate "C",
    occurrence integer
);

comment on table staging.exported_playlist is 'Playlists of account exports, on their way to warehouse.dim_playlist.';
comment on column staging.exported_playlist.input_id is 'The input that contains it.';
comment on column staging.exported_playlist.user_id is 'The user whose export it is.';
comment on column staging.exported_playlist.seen_at is 'When the export was imported.';
comment on column staging.exported_playlist.file_name is 'The file of the export that contains it.';
comment on column staging.exported_playlist.is_alone is 'Whether that file was imported by itself: other playlists may be in other files.';
comment on column staging.exported_playlist.playlist_id is 'Spotify''s id, or one made of user, name and occurrence.';
comment on column staging.exported_playlist.name is 'Its name; empty if it has none.';
comment on column staging.exported_playlist.occurrence is '1 for the first playlist of that name in the export, 2 for the second.';
