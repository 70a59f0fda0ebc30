-- Playlists of account exports in the form of the playlist merges: one snapshot for each import.
analyze staging.exported_playlist, staging.exported_playlist_track;

-- The API's tracks of a playlist take precedence over an export, and so do those of a file that lists it. A playlist of
-- an export without an id is the same as one of the API if its owner, its name, and its number among the owner's
-- playlists of that name are equal.
create temporary table api_playlist on commit drop as
select
    p.playlist_id,
    coalesce(a.user_id, p.owner_id) as user_id,
    p.name,
    row_number() over (partition by coalesce(a.user_id, p.owner_id), p.name order by p.playlist_id) as occurrence,
    p.items_seen_at is not null
    and not exists (select from audit.exported_playlist as x where x.playlist_id = p.playlist_id) as is_read
from warehouse.dim_playlist as p
left join lateral (
    select min(o.user_id) as user_id from audit.account_owner as o where o.owner_id = p.owner_id
) as a on true
where p.source = 'api'
    and coalesce(a.user_id, p.owner_id) in (select user_id from staging.exported_playlist);

create temporary table outranked_playlist on commit drop as
select s.input_id, s.playlist_id, s.seen_at
from staging.exported_playlist as s
where s.playlist_id like 'name:%'
    and exists (
        select from api_playlist as a
        where a.is_read and (a.user_id, a.name, a.occurrence) = (s.user_id, s.name, s.occurrence)
    )
    or exists (
        select from warehouse.dim_playlist as p
        where p.playlist_id = s.playlist_id
            and not p.is_inferred
            and (p.source <> 'api' or p.items_seen_at is not null)
            and not exists (select from audit.exported_playlist as x where x.playlist_id = p.playlist_id)
    );

update staging.event_count as c
set rows_repeated = c.rows_repeated + r.row_count
from (
    select o.input_id, count(*) as row_count
    from (
        select input_id from outranked_playlist
        union all
        select t.input_id
        from outranked_playlist as p
        inner join staging.exported_playlist_track as t
            on t.input_id = p.input_id and t.playlist_id = p.playlist_id and t.seen_at = p.seen_at
    ) as o
    group by o.input_id
) as r
where c.input_id = r.input_id;

create temporary table told_playlist on commit drop as
select s.*
from staging.exported_playlist as s
where not exists (
    select from outranked_playlist as o
    where (o.input_id, o.playlist_id, o.seen_at) = (s.input_id, s.playlist_id, s.seen_at)
);

insert into staging.dim_playlist (playlist_id, name, owner_id, source)
select distinct on (t.playlist_id) t.playlist_id, t.name, coalesce(o.owner_id, t.user_id), 'playlist_export'
from told_playlist as t
left join audit.account_owner as o on o.user_id = t.user_id
where not exists (
    select from warehouse.dim_playlist as p
    where p.playlist_id = t.playlist_id and not p.is_inferred and p.source <> 'playlist_export'
)
order by t.playlist_id, t.seen_at desc;

-- A later export replaces the playlists of an earlier one; a file that was imported by itself replaces only its own.
insert into staging.playlist_snapshot (playlist_id, seen_at)
select playlist_id, seen_at from told_playlist
union
select k.playlist_id, i.seen_at
from (select distinct user_id, seen_at, file_name, is_alone from staging.exported_playlist) as i
inner join (
    select playlist_id, user_id, file_name, exported_at from audit.exported_playlist
    union
    select playlist_id, user_id, file_name, seen_at from told_playlist
) as k on k.user_id = i.user_id and k.exported_at < i.seen_at and (not i.is_alone or k.file_name = i.file_name);

insert into staging.fact_playlist_track (playlist_id, track_id, occurrence, added_at, seen_at)
select
    t.playlist_id,
    d.track_id,
    row_number() over (
        partition by t.playlist_id, t.seen_at, d.track_id order by t.added_at nulls last, t.place
    ),
    t.added_at,
    t.seen_at
from staging.exported_playlist_track as t
inner join told_playlist as p
    on p.input_id = t.input_id and p.playlist_id = t.playlist_id and p.seen_at = t.seen_at
left join (
    select track_name, artist_name, max(made_track) as made_track
    from staging.event_named
    where name_set = 'things' and track_id is null and made_track is not null
    group by track_name, artist_name
) as n on t.track_id is null and n.track_name = t.track_name and n.artist_name = t.artist_name
cross join lateral (select coalesce(t.track_id, n.made_track) as id) as s
left join warehouse.track_alias as a
    on a.alias_value = s.id and a.alias_kind = case when s.id like 'name:%' then 'name' else 'spotify_id' end
left join warehouse.track_alias as l on l.alias_value = s.id and l.alias_kind = 'linked_id'
inner join warehouse.dim_track as d on d.track_key = coalesce(a.track_key, l.track_key);

update staging.load set table_names = array['fact_playlist_track'];

insert into audit.exported_playlist (playlist_id, user_id, name, occurrence, file_name, exported_at)
select distinct on (playlist_id) playlist_id, user_id, name, occurrence, file_name, seen_at
from told_playlist
order by playlist_id, seen_at desc
on conflict (playlist_id) do update
    set user_id = excluded.user_id,
        name = excluded.name,
        occurrence = excluded.occurrence,
        file_name = excluded.file_name,
        exported_at = excluded.exported_at
    where exported_playlist.exported_at < excluded.exported_at;

analyze staging.dim_playlist, staging.playlist_snapshot, staging.fact_playlist_track;
