-- An episode never changes: it is drawn from the listener's id and the day.
insert into simulation.anomaly_episode (user_id, kind, started_at, ended_at)
select user_id, kind, started_at, ended_at
from staging.anomaly_episode
order by user_id, kind, started_at
on conflict do nothing;
