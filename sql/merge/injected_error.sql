-- An input's id is a hash of all its parameters: existing rows are equal.
insert into simulation.injected_error (input_id, kind, row_count)
select input_id, kind, row_count
from staging.injected_error
on conflict do nothing;
