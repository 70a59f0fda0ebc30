update warehouse.dim_artist as t
set made_id = s.made_id,
    variant_made_id = s.variant_made_id,
    name = s.name,
    popularity = s.popularity,
    popularity_source = s.popularity_source,
    followers = s.followers,
    source = s.source,
    is_inferred = false
from staging.dim_artist as s
where t.artist_id = s.artist_id
    and (t.made_id, t.variant_made_id, t.name, t.popularity, t.popularity_source, t.followers, t.source, t.is_inferred)
    is distinct from (
        s.made_id, s.variant_made_id, s.name, s.popularity::smallint, s.popularity_source, s.followers, s.source, false
    );

insert into warehouse.dim_artist (
    artist_key, artist_id, made_id, variant_made_id, name, popularity, popularity_source, followers, source
)
select
    (select max(artist_key) from warehouse.dim_artist) + row_number() over (order by s.artist_id),
    s.artist_id,
    s.made_id,
    s.variant_made_id,
    s.name,
    s.popularity,
    s.popularity_source,
    s.followers,
    s.source
from staging.dim_artist as s
where not exists (select from warehouse.dim_artist as t where t.artist_id = s.artist_id)
order by s.artist_id;

analyze warehouse.dim_artist;
