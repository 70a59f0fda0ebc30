delete from warehouse.applied_match_decision as t
where exists (select from staging.load where 'match_decision' = any(table_names))
    and not exists (
        select
        from staging.match_decision as s
        where (s.kind, s.first_id, s.second_id, s.is_match) = (t.kind, t.first_id, t.second_id, t.is_match)
    );

insert into warehouse.applied_match_decision (kind, first_id, second_id, is_match)
select s.kind, s.first_id, s.second_id, s.is_match
from staging.match_decision as s
order by s.kind, s.first_id, s.second_id
on conflict do nothing;
