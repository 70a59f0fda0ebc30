create function mart.state_match(kind text, first_id text, second_id text, note text default null) returns integer
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select warehouse.state_decision(kind, first_id, second_id, true, note)
$$;

comment on function mart.state_match is 'Decides that two ids, or names that only one has, are one recording or artist, and returns the number of the decision. Of artists the first counts. Artists are merged by the next build of the marts, recordings by the next refresh of the catalogue. For analysts and operators.';
