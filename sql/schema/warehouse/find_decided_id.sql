-- Returns the id that a text stands for: an id itself, else the only track or artist of that name.
create function warehouse.find_decided_id(kind text, id_or_name text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
    ids text [];
begin
    if kind = 'recording' then
        select array_agg(t.track_id) into ids
        from warehouse.dim_track as t
        where t.track_id = id_or_name and t.track_key > 0;
        if ids is null then
            select array_agg(distinct a.alias_value) into ids
            from warehouse.track_alias as a
            where a.alias_value = id_or_name and a.alias_kind in ('name', 'linked_id');
        end if;
        if ids is null then
            select array_agg(t.track_id order by t.track_id) into ids
            from warehouse.dim_track as t
            where lower(t.name) = lower(id_or_name) and t.track_key > 0;
        end if;
    else
        select array_agg(a.artist_id) into ids
        from warehouse.dim_artist as a
        where a.artist_id = id_or_name and a.artist_key > 0;
        if ids is null then
            select array_agg(distinct id_or_name) into ids
            from warehouse.dim_artist as a
            where a.made_id = id_or_name or a.variant_made_id = id_or_name
            having count(*) > 0;
        end if;
        if ids is null then
            select array_agg(a.artist_id order by a.artist_id) into ids
            from warehouse.dim_artist as a
            where lower(a.name) = lower(id_or_name) and a.artist_key > 0;
        end if;
    end if;
    if cardinality(ids) > 1 then
        raise exception using
            errcode = 'cardinality_violation',
            message = format('%s %ss are called %L: name one by its id.', cardinality(ids), kind, id_or_name),
            hint = array_to_string(ids[:10], ', ') || case when cardinality(ids) > 10 then ', …' else '' end;
    end if;
    if ids is null then
        raise exception using
            errcode = 'no_data_found',
            message = format('No %s has the id or name %L.', kind, id_or_name),
            hint = 'An id is the last part of a link of Spotify, or name: and 20 digits.';
    end if;
    return ids[1];
end
$$;

comment on function warehouse.find_decided_id is 'Returns the id of a track or artist that an id or a name stands for; raises an error that lists the ids if several have the name.';
