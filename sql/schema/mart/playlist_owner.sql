-- Playlists may have another owner id than the account's own, which never changes: the account's profile has both, and
-- so may its login.
create view mart.playlist_owner as
select p.playlist_key, l.listener_key
from warehouse.dim_playlist as p
left join (
    select distinct on (owner_id) owner_id, user_id
    from (
        select owner_id, user_id, 1 as place
        from audit.account_owner
        union all
        select owner_id, user_id, 2 as place
        from audit.login
        where kind = 'listener' and owner_id is not null
    ) as told
    order by owner_id, place, user_id
) as a on a.owner_id = p.owner_id
inner join mart.listener as l on l.user_id = coalesce(a.user_id, p.owner_id)
where l.user_id not in (select id from warehouse.exclusion where kind = 'user')
    and p.owner_id not in (select id from warehouse.exclusion where kind = 'user');

comment on view mart.playlist_owner is 'The playlists of users; without those of excluded ones.';
comment on column mart.playlist_owner.playlist_key is 'The playlist.';
comment on column mart.playlist_owner.listener_key is 'Its owner, as mart.listener has it.';
