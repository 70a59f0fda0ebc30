-- Previous matches of a staged track that are no longer valid.
delete from audit.reconciliation as t
where exists (select from staging.load where 'reconciliation' = any(table_names))
    and t.from_id in (select track_id from staging.dim_track union all select alias_value from staging.track_alias)
    and not exists (
        select from staging.reconciliation as s where s.source = t.source and s.from_id = t.from_id
    );

update audit.reconciliation as t
set to_id = s.to_id, method = s.method, score = s.score, run_id = l.run_id
from staging.reconciliation as s
cross join staging.load as l
where t.source = s.source
    and t.from_id = s.from_id
    and (t.to_id, t.method, t.score) is distinct from (s.to_id, s.method, s.score);

insert into audit.reconciliation (source, from_id, to_id, method, score, run_id)
select s.source, s.from_id, s.to_id, s.method, s.score, l.run_id
from staging.reconciliation as s
cross join staging.load as l
where not exists (
    select from audit.reconciliation as t where t.source = s.source and t.from_id = s.from_id
)
order by s.source, s.from_id;
