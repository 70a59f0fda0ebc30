create function warehouse.state_decision(
    kind text, first_name text, second_name text, is_match boolean, note text
) returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
    first_id text;
    second_id text;
    conflict text;
    decision_id integer;
begin
    if kind is null or kind not in ('artist', 'recording') then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('%L is no kind of decision.', kind),
            hint = 'Kinds are recording and artist.';
    end if;
    first_id := warehouse.find_decided_id(kind, first_name);
    second_id := warehouse.find_decided_id(kind, second_name);
    if first_id = second_id then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('Both are the same %s: %s.', kind, first_id);
    end if;
    -- Two statements that contradict each other are not made at once.
    lock table warehouse.match_decision in share row exclusive mode;
    conflict := warehouse.explain_conflict(kind, first_id, second_id, is_match);
    if conflict is not null then
        raise exception using
            errcode = 'integrity_constraint_violation',
            message = conflict,
            hint = 'Take a decision back by mart.revoke_decision(decision_id), then state this one again.';
    end if;
    insert into warehouse.match_decision (kind, first_id, second_id, is_match, note)
    values (kind, first_id, second_id, is_match, note)
    returning match_decision.decision_id into decision_id;
    return decision_id;
end
$$;

comment on function warehouse.state_decision is 'Stores a decision and returns its number; raises an error that names the decision that it contradicts.';
