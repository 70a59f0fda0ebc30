create table audit.changed_playlist (
    playlist_key integer not null,
    constraint changed_playlist_pkey primary key (playlist_key)
);

comment on table audit.changed_playlist is 'Playlists whose tracks or owner have changed since the marts were built.';
comment on column audit.changed_playlist.playlist_key is 'The playlist.';
