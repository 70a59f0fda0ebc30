-- A user's playlists are those that the user owns, and those that the user asked for and the user's own account has read:
-- what another account has read may be private.
create or replace view mart.my_playlist_profile with (security_barrier) as
select m.*
from mart.playlist_profile as m
where m.owner_id = (select s.owner_id from audit.signed_in as s)
    or m.playlist_id in (
        select w.playlist_id
        from audit.playlist_wish as w
        inner join audit.signed_in as s on s.user_id = w.user_id
        where w.read_at is not null
    );

create or replace view mart.my_playlist_profile_attribute with (security_barrier) as
select m.*
from mart.playlist_profile_attribute as m
where m.owner_id = (select s.owner_id from audit.signed_in as s)
    or m.playlist_id in (
        select w.playlist_id
        from audit.playlist_wish as w
        inner join audit.signed_in as s on s.user_id = w.user_id
        where w.read_at is not null
    );

create or replace view mart.my_playlist_profile_cluster with (security_barrier) as
select m.*
from mart.playlist_profile_cluster as m
where m.owner_id = (select s.owner_id from audit.signed_in as s)
    or m.playlist_id in (
        select w.playlist_id
        from audit.playlist_wish as w
        inner join audit.signed_in as s on s.user_id = w.user_id
        where w.read_at is not null
    );

comment on view mart.my_playlist_profile is 'How your playlists sound, and those that you asked for and your account has read, in a line.';
comment on view mart.my_playlist_profile_attribute is 'An audio feature of these playlists: mean, spread and distribution.';
comment on view mart.my_playlist_profile_cluster is 'The audio clusters of these playlists.';
