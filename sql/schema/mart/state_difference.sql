create function mart.state_difference(kind text, first_id text, second_id text, note text default null) returns integer
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select warehouse.state_decision(kind, first_id, second_id, false, note)
$$;

comment on function mart.state_difference is 'Decides that two ids, or names that only one has, are not one recording or artist, whatever reconciliation finds, and returns the number of the decision. The next refresh of the catalogue follows it. For analysts and operators.';
