insert into audit.refresh_state (kind, id, asked_at)
select kind, id, asked_at
from staging.refresh_state
on conflict (kind, id) do update
    set asked_at = excluded.asked_at
    where refresh_state.asked_at < excluded.asked_at;
