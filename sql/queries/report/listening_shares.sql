-- Fractions of the plays of simulated listeners, by requested distribution. Ages are those of :ages_as_of.
with play as (
    select
        extract(year from age(cast(:ages_as_of as date), u.birthdate)) as age,
        c.subscription_plan as plan,
        e.device_type as device,
        e.local_hour as hour
    from warehouse.fact_event as e
    inner join warehouse.dim_user as u on u.user_key = e.user_key
    inner join warehouse.dim_play_context as c on c.context_key = e.context_key
    where e.source = 'feed' and e.activity_type = 'PLAY'
),

answered as (
    select 'plan' as question, plan as answer from play
    union all
    select 'device', device from play
    union all
    select 'hour', cast(hour as text) from play
    union all
    select
        'age_band',
        case
            when age < 12 then '6-12'
            when age < 20 then '12-20'
            when age < 35 then '20-35'
            when age < 60 then '35-60'
            when age >= 60 then '60+'
        end
    from play
)

select question, answer, cast(count(*) as double precision) / (select count(*) from play) as share
from answered
group by question, answer
union all
select
    'skip',
    'skip',
    cast(count(*) filter (where activity_type = 'SKIP') as double precision)
    / nullif(count(*) filter (where activity_type = 'PLAY'), 0)
from warehouse.fact_event
where source = 'feed'
order by question, answer;
