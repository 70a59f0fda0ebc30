create table audit.touched_playlist (
    playlist_key integer not null,
    constraint touched_playlist_pkey primary key (playlist_key)
);

comment on table audit.touched_playlist is 'Playlists whose tracks or owner have changed since the marts were built.';
comment on column audit.touched_playlist.playlist_key is 'The playlist.';
