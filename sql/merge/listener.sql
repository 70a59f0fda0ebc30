-- The truth about a listener never changes: the id is a hash of all its parameters. A stream may write the same rows at
-- the same time, in the same order (etl.load.simulated_truth).
insert into simulation.listener (
    user_id, population, seed, personality, exploration, newness, loyalty, commonality, sign_up_date, churn_date
)
select user_id, population, seed, personality, exploration, newness, loyalty, commonality, sign_up_date, churn_date
from staging.listener
order by user_id
on conflict do nothing;
