-- Who is meant where only a name is said: of the artists with an id whose folded name it is, the one with the most
-- followers.
create function staging.artist_of_name(name_id text, name_said text) returns integer
language sql stable
set search_path = pg_catalog
as $$
    select coalesce(
        (
            select a.artist_key
            from warehouse.dim_artist as a
            where a.made_id = name_id and a.artist_id not like 'name:%'
            order by a.followers desc nulls last, a.artist_id
            limit 1
        ),
        (
            select a.artist_key
            from warehouse.dim_artist as a
            where a.made_id is null and lower(a.name) = lower(name_said) and a.artist_key > 0
            order by a.followers desc nulls last, a.artist_id
            limit 1
        )
    )
$$;

comment on function staging.artist_of_name(text, text) is 'The key of the artist with an id whom a name means, given by the id made of it and as it is; NULL where there is none.';
