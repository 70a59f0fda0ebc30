create temporary table day_before on commit drop as
select d.*
from changed_day as t
inner join mart.listener_day as d on d.listener_key = t.listener_key and d.local_date = t.local_date;

delete from mart.listener_day as d
using changed_day as t
where d.listener_key = t.listener_key and d.local_date = t.local_date;

create temporary table day_now on commit drop as
select
    e.listener_key,
    e.local_date,
    c.listening_context_key,
    count(*) filter (where e.is_play and not e.is_excluded)::integer as plays,
    count(*) filter (where e.is_skipped)::integer as skips,
    coalesce(sum(e.ms_played) filter (where e.is_play and not e.is_excluded), 0)::bigint as ms_played
from changed_event as e
inner join mart.listening_context as c using (country, continent, device_type, subscription_plan)
group by e.listener_key, e.local_date, c.listening_context_key;

insert into mart.listener_day (listener_key, local_date, listening_context_key, plays, skips, ms_played)
select listener_key, local_date, listening_context_key, plays, skips, ms_played
from day_now
order by listener_key, local_date, listening_context_key;

analyze day_before;
analyze day_now;

create temporary table listened_before on commit drop as
select t.listener_key, coalesce(l.days, '{}'::datemultirange) as days
from (select distinct listener_key from changed_day) as t
left join mart.listened_days as l on l.listener_key = t.listener_key;

create temporary table listened_now on commit drop as
select b.listener_key, b.days - t.days + coalesce(n.days, '{}'::datemultirange) as days
from listened_before as b
inner join (
    select listener_key, range_agg(daterange(local_date, local_date, '[]')) as days
    from changed_day
    group by listener_key
) as t on t.listener_key = b.listener_key
left join (
    select listener_key, range_agg(daterange(local_date, local_date, '[]')) as days
    from day_now
    where plays > 0
    group by listener_key
) as n on n.listener_key = b.listener_key;

analyze listened_before;
analyze listened_now;

delete from mart.listened_days as l
using listened_now as n
where l.listener_key = n.listener_key and n.days = '{}'::datemultirange;

insert into mart.listened_days as l (listener_key, days)
select listener_key, days
from listened_now
where days <> '{}'::datemultirange
order by listener_key
on conflict (listener_key) do update set days = excluded.days where l.days <> excluded.days;
