create view staging.retained_input as
select i.input_id, n.rows_loaded, n.rows_duplicate, n.rows_rejected
from staging.load as l
inner join audit.run_input as i on i.run_id = l.run_id
cross join lateral (
    select c.rows_loaded, c.rows_duplicate, c.rows_rejected
    from audit.row_count as c
    inner join audit.run as r on r.run_id = c.run_id
    where c.input_id = i.input_id and c.step = 'load_catalogue' and r.result = 'published'
    order by r.finished_at desc
    limit 1
) as n
where l.has_changes_only
    and not exists (select from staging.input_key as k where k.input_id = i.input_id)
    and not exists (select from staging.rejected_row as s where s.input_id = i.input_id);

comment on view staging.retained_input is 'Inputs of the run that an earlier run has loaded and whose rows are not staged, because they have not changed.';
comment on column staging.retained_input.input_id is 'The input.';
comment on column staging.retained_input.rows_loaded is 'Rows whose key the input published.';
comment on column staging.retained_input.rows_duplicate is 'Further rows of a key already seen in the input.';
comment on column staging.retained_input.rows_rejected is 'Rows rejected.';
