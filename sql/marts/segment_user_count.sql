-- A user counts once for each segment of a day and of a week, as they are and as they were. Of a week with a changed
-- day, all days of the user are read: they are found by the key, whatever the length of the history.
create temporary table changed_week on commit drop as
select distinct listener_key, date_trunc('week', local_date::timestamp)::date as week_start from changed_day;

analyze changed_week;

create temporary table segment_activity on commit drop as
select 'day' as grain, local_date as start_date, listener_key, listening_context_key, true as is_now
from day_now
where plays > 0
union all
select 'day', local_date, listener_key, listening_context_key, false from day_before where plays > 0
union all
select 'week', w.week_start, w.listener_key, d.listening_context_key, true
from changed_week as w
inner join mart.listener_day as d
    on d.listener_key = w.listener_key and d.local_date between w.week_start and w.week_start + 6
where d.plays > 0
union all
select 'week', w.week_start, w.listener_key, d.listening_context_key, false
from changed_week as w
inner join mart.listener_day as d
    on d.listener_key = w.listener_key and d.local_date between w.week_start and w.week_start + 6
where d.plays > 0
    and not exists (
        select from changed_day as t where t.listener_key = d.listener_key and t.local_date = d.local_date
    )
union all
select 'week', date_trunc('week', local_date::timestamp)::date, listener_key, listening_context_key, false
from day_before
where plays > 0;

-- Distinct rows of a subquery are counted by hashes; count(distinct) would sort them.
create temporary table segment_activity_once on commit drop as
select distinct a.grain, a.start_date, a.listener_key, c.continent, c.subscription_plan, a.is_now
from segment_activity as a
inner join mart.listening_context as c on c.listening_context_key = a.listening_context_key;

insert into mart.segment_user_count as s (grain, level, segment, start_date, users)
select grain, level, segment, start_date, sum(case when is_now then 1 else -1 end)
from (
    select distinct grain, 'continent' as level, continent as segment, start_date, listener_key, is_now
    from segment_activity_once
    union all
    select distinct grain, 'plan', subscription_plan, start_date, listener_key, is_now
    from segment_activity_once
    union all
    select grain, 'continent_plan', concat_ws('/', continent, subscription_plan), start_date, listener_key, is_now
    from segment_activity_once
) as a
group by grain, level, segment, start_date
on conflict (grain, level, segment, start_date) do update set users = s.users + excluded.users;

delete from mart.segment_user_count where users = 0;
