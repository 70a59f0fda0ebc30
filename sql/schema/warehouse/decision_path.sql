-- The decisions that join two ids, in order; NULL if none do. Decisions that hold are few, so the search is short.
create function warehouse.decision_path(of_kind text, from_id text, to_id text) returns integer[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with recursive edge as (
        select d.decision_id, d.first_id as id, d.second_id as neighbour_id
        from warehouse.match_decision as d
        where d.kind = of_kind and d.is_match and d.revoked_at is null
        union all
        select d.decision_id, d.second_id, d.first_id
        from warehouse.match_decision as d
        where d.kind = of_kind and d.is_match and d.revoked_at is null
    ),

    -- Matches that hold are a forest: one path leads to each id, and it is never walked back.
    path as (
        select from_id collate "C" as id, array[]::integer [] as decision_ids
        union all
        select e.neighbour_id, p.decision_ids || e.decision_id
        from path as p
        inner join edge as e on e.id = p.id and not e.decision_id = any(p.decision_ids)
    )

    select p.decision_ids from path as p where p.id = to_id
$$;

comment on function warehouse.decision_path is 'Returns the numbers of the decisions that make two ids one, by way of ids in between; NULL if none do.';
