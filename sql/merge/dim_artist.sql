-- An artist of whom only the name was known is the one of that name who comes with an id, of several the one with the most
-- followers: under the same key, so that events need not change.
update warehouse.dim_artist as t
set artist_id = n.artist_id
from (
    select distinct on (s.made_id) s.made_id, s.artist_id
    from staging.dim_artist as s
    where s.made_id <> s.artist_id
        and not exists (select from warehouse.dim_artist as k where k.artist_id = s.artist_id)
    order by s.made_id, s.followers desc nulls last, s.artist_id
) as n
where t.artist_id = n.made_id
    and not exists (select from staging.dim_artist as s where s.artist_id = t.artist_id);

update warehouse.dim_artist as t
set made_id = s.made_id,
    name = s.name,
    popularity = s.popularity,
    popularity_source = s.popularity_source,
    followers = s.followers,
    source = s.source,
    is_inferred = false
from staging.dim_artist as s
where t.artist_id = s.artist_id
    and (t.made_id, t.name, t.popularity, t.popularity_source, t.followers, t.source, t.is_inferred)
    is distinct from (s.made_id, s.name, s.popularity::smallint, s.popularity_source, s.followers, s.source, false);

insert into warehouse.dim_artist (artist_key, artist_id, made_id, name, popularity, popularity_source, followers, source)
select
    (select max(artist_key) from warehouse.dim_artist) + row_number() over (order by s.artist_id),
    s.artist_id,
    s.made_id,
    s.name,
    s.popularity,
    s.popularity_source,
    s.followers,
    s.source
from staging.dim_artist as s
where not exists (select from warehouse.dim_artist as t where t.artist_id = s.artist_id)
order by s.artist_id;

analyze warehouse.dim_artist;
