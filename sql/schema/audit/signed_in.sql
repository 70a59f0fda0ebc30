-- The owner id of a listener's playlists comes from the listener's own account: its newest profile, or its file at the
-- time when the login was created. A user_id that equals an owner's id is the same account only if no other account has
-- that id, and not if the owner's id is Spotify's and the user_id comes from a feed or an import, where it may be any
-- word.
create view audit.signed_in as
select
    l.login_name,
    l.kind,
    l.user_id,
    coalesce(
        own.owner_id,
        case
            when exists (
                select from audit.account_owner as o
                where o.owner_id = coalesce(l.owner_id, l.user_id) and o.user_id <> l.user_id
            ) then null
            when l.owner_id is not null then l.owner_id
            when exists (select from audit.login as o where o.owner_id = l.user_id and o.user_id <> l.user_id) then null
            when exists (
                select
                from warehouse.dim_user as u
                inner join warehouse.dim_playlist as p on p.owner_id = u.user_id and p.source = 'api'
                where u.user_id = l.user_id and (u.source = 'feed' or u.source like '%\_export')
            ) then null
            else l.user_id
        end
    ) as owner_id,
    l.artist_id
from audit.login as l
left join audit.account_owner as own on own.user_id = l.user_id
where l.login_name = session_user::text;

comment on view audit.signed_in is 'The row of audit.login of the current user; none for others, such as the loader.';
comment on column audit.signed_in.login_name is 'The role that signed in.';
comment on column audit.signed_in.kind is 'The group role that it belongs to.';
comment on column audit.signed_in.user_id is 'For a listener: the user.';
comment on column audit.signed_in.owner_id is 'For a listener: the owner id of the listener''s playlists, from the listener''s account; NULL if not known.';
comment on column audit.signed_in.artist_id is 'Of an artist: the artist.';
