insert into audit.refresh_state (kind, id, asked_at, is_found)
select kind, id, asked_at, is_found
from staging.refresh_state
on conflict (kind, id) do update
    set asked_at = excluded.asked_at, is_found = excluded.is_found
    where refresh_state.asked_at < excluded.asked_at;
