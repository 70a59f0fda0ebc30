create function staging.artist_of_name(name_id text, name_said text) returns integer
language sql stable
set search_path = pg_catalog
as $$
    select coalesce(
        (
            select a.artist_key
            from warehouse.dim_artist as a
            where a.made_id = name_id and (a.artist_id not like 'name:%' or not a.is_inferred)
            order by a.source = 'mock_api', a.artist_id like 'name:%', a.followers desc nulls last, a.artist_id
            limit 1
        ),
        (
            select a.artist_key
            from warehouse.dim_artist as a
            where a.variant_made_id = name_id
            order by a.source = 'mock_api', a.artist_id like 'name:%', a.followers desc nulls last, a.artist_id
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

comment on function staging.artist_of_name(text, text) is 'The key of the known artist of a name, given by its name-derived id and as text; NULL if there is none.';
