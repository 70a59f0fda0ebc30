-- Playlists from account exports that the API reads now, matched by their id, or by their owner and name: from here on
-- only the API's tracks count, as if the export had arrived after them.
create temporary table owned_playlist on commit drop as
select
    p.playlist_id,
    coalesce(a.user_id, p.owner_id) as user_id,
    p.name,
    row_number() over (partition by coalesce(a.user_id, p.owner_id), p.name order by p.playlist_id) as occurrence,
    exists (select from staging.playlist_snapshot as s where s.playlist_id = p.playlist_id)
    or p.items_seen_at is not null
    and not exists (select from audit.exported_playlist as x where x.playlist_id = p.playlist_id) as is_read
from warehouse.dim_playlist as p
left join lateral (
    select min(o.user_id) as user_id
    from (
        select user_id, owner_id from audit.account_owner
        union all
        select user_id, owner_id from staging.account_owner
    ) as o
    where o.owner_id = p.owner_id
) as a on true
where p.source = 'api' and exists (select from audit.exported_playlist);

create temporary table superseded_playlist on commit drop as
select p.playlist_key, x.playlist_id
from audit.exported_playlist as x
inner join warehouse.dim_playlist as p on p.playlist_id = x.playlist_id
where exists (
    select from owned_playlist as o
    where o.is_read
        and (
            o.playlist_id = x.playlist_id
            or x.playlist_id like 'name:%'
            and (o.user_id, o.name, o.occurrence) = (x.user_id, x.name, x.occurrence)
        )
);

delete from warehouse.fact_playlist_track
where playlist_key in (select playlist_key from superseded_playlist);

delete from warehouse.dim_playlist
where playlist_key in (select playlist_key from superseded_playlist) and source = 'playlist_export';

update warehouse.dim_playlist
set items_seen_at = null
where playlist_key in (select playlist_key from superseded_playlist);

delete from audit.exported_playlist where playlist_id in (select playlist_id from superseded_playlist);

-- An account that signs in after its export was imported has another id as an owner.
update warehouse.dim_playlist as p
set owner_id = o.owner_id
from audit.exported_playlist as x
inner join staging.account_owner as o on o.user_id = x.user_id
where p.playlist_id = x.playlist_id and p.source = 'playlist_export' and p.owner_id is distinct from o.owner_id;
