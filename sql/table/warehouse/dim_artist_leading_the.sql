-- Ids made of names tell artists with a leading "the" from those without from here on. What was made of such a name before
-- gets its new id under its key, where the old one proves to be made of it: names of plain letters, titles without a version.
create function pg_temp.plain(said text) returns text
language sql immutable
as $$
    select trim(
        regexp_replace(
            replace(replace(regexp_replace(lower(said), '[''`]', '', 'g'), '&', ' and '), ' + ', ' and '), '[^a-z0-9]+', ' ', 'g'
        )
    )
$$;

create function pg_temp.made(variadic parts text[]) returns text
language sql immutable
as $$
    select 'name:' || left(encode(sha256(convert_to(array_to_string(parts, chr(1)), 'UTF8')), 'hex'), 20)
$$;

create temporary table renamed_artist on commit drop as
select a.artist_key, pg_temp.made(pg_temp.plain(a.name)) as made_id, regexp_replace(pg_temp.plain(a.name), '^the (?=.)', '') as loose
from warehouse.dim_artist as a
where a.name ~* '^the' and pg_temp.plain(a.name) ~ '^the .';

-- Where one credited track is of such an artist, and its id is made of the name without "the".
create temporary table renamed_track on commit drop as
select t.track_key, t.track_id as former_id, n.track_id
from warehouse.dim_track as t
inner join warehouse.bridge_track_artist as b on b.track_key = t.track_key and b.position = 1
inner join warehouse.dim_artist as a on a.artist_key = b.artist_key
inner join renamed_artist as r on r.artist_key = a.artist_key
cross join lateral (
    select pg_temp.made(s.title, '', pg_temp.plain(a.name)) as track_id
    from (
        select pg_temp.plain(t.name) as title
        union all
        select pg_temp.plain(regexp_replace(t.name, ' - .*| ?[(\[].*', ''))
    ) as s
    where pg_temp.made(s.title, '', r.loose) = t.track_id
    limit 1
) as n
where t.track_id like 'name:%'
    and not exists (select from warehouse.dim_track as k where k.track_id = n.track_id);

-- The next refresh says anew under which names the tracks of these artists are found.
delete from warehouse.track_alias as t
where t.alias_kind = 'name'
    and t.method <> 'event'
    and exists (
        select
        from warehouse.bridge_track_artist as b
        inner join renamed_artist as r on r.artist_key = b.artist_key
        where b.track_key = t.track_key
    );

update warehouse.dim_track as t
set track_id = n.track_id
from renamed_track as n
where t.track_key = n.track_key;

update warehouse.track_alias as t
set alias_value = n.track_id
from renamed_track as n
where t.alias_kind = 'name' and t.alias_value = n.former_id and t.track_key = n.track_key;

update warehouse.dim_artist as t
set artist_id = r.made_id
from renamed_artist as r
where t.artist_key = r.artist_key
    and t.artist_id = pg_temp.made(r.loose)
    and not exists (select from warehouse.dim_artist as k where k.artist_id = r.made_id);

update warehouse.dim_artist as t
set made_id = r.made_id
from renamed_artist as r
where t.artist_key = r.artist_key and t.made_id = pg_temp.made(r.loose);

drop function pg_temp.plain(text);
drop function pg_temp.made(text[]);
