-- session_user, not current_user: who signed in, whatever role has been set since.
create view audit.signed_in as
select
    l.login_name,
    l.kind,
    l.user_id,
    coalesce(l.owner_id, l.user_id) as owner_id,
    l.artist_id
from audit.login as l
where l.login_name = session_user::text;

comment on view audit.signed_in is 'The line of audit.login of whoever asks; none for others, such as the loader.';
comment on column audit.signed_in.login_name is 'The role that signed in.';
comment on column audit.signed_in.kind is 'The group role that it belongs to.';
comment on column audit.signed_in.user_id is 'Of a listener: the user.';
comment on column audit.signed_in.owner_id is 'Of a listener: what playlists call their owner.';
comment on column audit.signed_in.artist_id is 'Of an artist: the artist.';
