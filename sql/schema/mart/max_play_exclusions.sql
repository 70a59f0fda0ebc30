create function mart.max_play_exclusions() returns integer
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select 1000
$$;

comment on function mart.max_play_exclusions is 'How many exclusions a listener may state, those taken back included.';
