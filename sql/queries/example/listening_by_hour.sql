-- At which local hours do users listen, on weekdays and at weekends?
select
    case when day.is_weekend then 'weekend' else 'working day' end as days,
    event.local_hour,
    count(distinct person.user_id) as listeners,
    round(sum(event.ms_played) / 60000.0, 1) as minutes
from warehouse.fact_event as event
join warehouse.dim_date as day using (date_key)
join warehouse.dim_user as person using (user_key)
where event.activity_type = 'PLAY'
group by day.is_weekend, event.local_hour
having sum(event.ms_played) > 0
order by day.is_weekend, event.local_hour;
