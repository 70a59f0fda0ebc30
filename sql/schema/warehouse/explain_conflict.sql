create function warehouse.explain_conflict(
    of_kind text, first_id text, second_id text, is_match boolean
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
    joining integer [] := warehouse.decision_path(of_kind, first_id, second_id);
    decision warehouse.match_decision;
begin
    if joining is not null and is_match then
        return format(
            '%s and %s are one %s already, by decision %s.', first_id, second_id, of_kind,
            array_to_string(joining, ', ')
        );
    elsif joining is not null then
        return format(
            '%s and %s are one %s by decision %s: they cannot be two.', first_id, second_id, of_kind,
            array_to_string(joining, ', ')
        );
    end if;
    select d.* into decision
    from warehouse.match_decision as d
    where d.kind = of_kind
        and not d.is_match
        and d.revoked_at is null
        and (
            (d.first_id, d.second_id) in ((first_id, second_id), (second_id, first_id))
            or (
                is_match
                and (
                    (
                        warehouse.decision_path(of_kind, d.first_id, explain_conflict.first_id) is not null
                        and warehouse.decision_path(of_kind, d.second_id, explain_conflict.second_id) is not null
                    )
                    or (
                        warehouse.decision_path(of_kind, d.first_id, explain_conflict.second_id) is not null
                        and warehouse.decision_path(of_kind, d.second_id, explain_conflict.first_id) is not null
                    )
                )
            )
        )
    order by d.decision_id
    limit 1;
    if found then
        return format(
            case
                when is_match then '%s and %s cannot be one: decision %s says that %s and %s are not one %s.'
                else '%s and %s: decision %s says already that %s and %s are not one %s.'
            end,
            first_id, second_id, decision.decision_id, decision.first_id, decision.second_id, of_kind
        );
    end if;
    return warehouse.explain_merged_id(of_kind, first_id, second_id, is_match);
end
$$;

comment on function warehouse.explain_conflict is 'Returns the message with which a decision is rejected, because another one contradicts it or makes it needless; NULL if none does.';
