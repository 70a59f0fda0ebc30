-- A listener's truth never changes: the id names all that it follows from.
insert into simulation.listener (
    user_id, population, seed, personality, exploration, newness, loyalty, commonality
)
select user_id, population, seed, personality, exploration, newness, loyalty, commonality
from staging.listener as s
where not exists (select from simulation.listener as t where t.user_id = s.user_id)
order by user_id;
