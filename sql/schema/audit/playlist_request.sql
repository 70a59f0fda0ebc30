create table audit.playlist_request (
    user_id text collate "C" not null,
    playlist_id text collate "C" not null,
    requested_at timestamptz not null default now(),
    read_at timestamptz,
    constraint playlist_request_pkey primary key (user_id, playlist_id),
    constraint playlist_request_is_an_id check (playlist_id ~ '^[A-Za-z0-9]{22}$')
);

comment on table audit.playlist_request is 'Playlists that users requested by link: the refresh of their account reads them, too.';
comment on column audit.playlist_request.user_id is 'The user; only an account that has signed in can read a playlist.';
comment on column audit.playlist_request.playlist_id is 'Spotify''s id of the playlist.';
comment on column audit.playlist_request.requested_at is 'Time of the request.';
comment on column audit.playlist_request.read_at is 'When the refresh of the user''s own account had first read it whole; NULL before, when the user is shown nothing of it.';
