create table audit.login (
    login_name text collate "C" not null,
    kind text not null,
    user_id text collate "C",
    owner_id text collate "C",
    artist_id text collate "C",
    password_digest text collate "C",
    constraint login_pkey primary key (login_name),
    constraint login_kind_known check (kind in ('analyst', 'operator', 'listener', 'artist')),
    constraint login_listener_is_a_user check ((kind = 'listener') = (user_id is not null)),
    constraint login_listener_may_own check (kind = 'listener' or owner_id is null),
    constraint login_artist_is_an_artist check ((kind = 'artist') = (artist_id is not null))
);

create index login_user_id_idx on audit.login (user_id);

create trigger publish_artist after insert or update of artist_id on audit.login
for each row when (new.artist_id is not null) execute function audit.publish_artist_of_login();

comment on table audit.login is 'Logins of the database with their role and user or artist. Views with row-level access read it.';
comment on column audit.login.login_name is 'The role that signs in.';
comment on column audit.login.kind is 'The group role that it belongs to: analyst, operator, listener or artist.';
comment on column audit.login.user_id is 'For a listener: the user, as dim_user has it.';
comment on column audit.login.owner_id is 'For a listener: the owner id of the listener''s playlists, if it differs from user_id; else NULL.';
comment on column audit.login.artist_id is 'Of an artist: the artist, as dim_artist has it.';
comment on column audit.login.password_digest is 'SHA-256 of the SCRAM verifier of the password that bin/add-login generated: if the server has another one, the login has chosen its own password.';
