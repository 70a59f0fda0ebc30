create function mart.revoke_decision(decision_id integer) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update warehouse.match_decision as d
    set revoked_by = session_user, revoked_at = now()
    where d.decision_id = revoke_decision.decision_id and d.revoked_at is null;
    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('No decision %s holds.', revoke_decision.decision_id),
            hint = 'warehouse.match_decision lists them.';
    end if;
end
$$;

comment on function mart.revoke_decision is 'Takes back a decision about two ids: what reconciliation finds counts again. For analysts and operators.';
