-- Listeners that the minute has not counted yet are added to its row in the batch.
with added as (
    insert into live.active_listener (partition, minute_start, continent, user_id)
    select partition, minute_start, continent, user_id
    from batch_active_listener
    order by partition, minute_start, continent, user_id
    on conflict do nothing
    returning minute_start, continent
)

insert into batch_active_minute (minute_start, continent, events, late_events, listeners)
select minute_start, continent, 0, 0, count(*)
from added
group by minute_start, continent;
