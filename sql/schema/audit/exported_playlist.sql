create table audit.exported_playlist (
    playlist_id text collate "C" not null,
    user_id text collate "C" not null,
    name text collate "C" not null,
    occurrence integer not null,
    file_name text collate "C" not null,
    exported_at timestamptz not null,
    constraint exported_playlist_pkey primary key (playlist_id)
);

create index exported_playlist_user_id_idx on audit.exported_playlist (user_id);

comment on table audit.exported_playlist is 'Playlists whose tracks come from an account export, as long as the API has not read them.';
comment on column audit.exported_playlist.playlist_id is 'The playlist, as warehouse.dim_playlist has it.';
comment on column audit.exported_playlist.user_id is 'The user whose export contains it.';
comment on column audit.exported_playlist.name is 'Its name in the export; empty if it has none.';
comment on column audit.exported_playlist.occurrence is '1 for the first playlist of that name in the export, 2 for the second.';
comment on column audit.exported_playlist.file_name is 'The file of the export that contains it.';
comment on column audit.exported_playlist.exported_at is 'When the newest export that contains it was imported.';
