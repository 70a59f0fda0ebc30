-- An input's id names all that it follows from: what is known of it already is equal.
insert into simulation.injected_error (input_id, kind, row_count)
select input_id, kind, row_count
from staging.injected_error
on conflict do nothing;
