-- Who is meant where only a name is said: of the artists of that name one with an id, the one with the most followers; else
-- one whom a catalogue knows by the name alone. Then whoever is known to go by the name's other spelling, too; in the end one
-- whom events alone have named, by an id. An artist of the mock API is meant only where there is no other.
-- The migration that made this function runs it before the one that adds a column.
set local check_function_bodies = off;

create or replace function staging.artist_of_name(name_id text, name_said text) returns integer
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

comment on function staging.artist_of_name(text, text) is 'The key of the known artist whom a name means, given by the id made of it and as it is; NULL where there is none.';
