-- An outage never changes: it is drawn from the population's seed and the day.
insert into simulation.outage (population, started_at, ended_at)
select population, started_at, ended_at
from staging.outage
order by population, started_at
on conflict do nothing;
