-- The truth about a listener never changes: the id is a hash of all its parameters.
insert into simulation.listener (
    user_id, population, seed, personality, exploration, newness, loyalty, commonality
)
select user_id, population, seed, personality, exploration, newness, loyalty, commonality
from staging.listener as s
where not exists (select from simulation.listener as t where t.user_id = s.user_id)
order by user_id;
