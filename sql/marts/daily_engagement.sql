insert into mart.daily_engagement as e (
    local_date, subscription_plan, continent, device_type, users, sessions, plays, skips, ms_played
)
select
    t.local_date,
    c.subscription_plan,
    c.continent,
    c.device_type,
    count(distinct t.listener_key) filter (where t.is_now and t.plays > 0)
    - count(distinct t.listener_key) filter (where not t.is_now and t.plays > 0),
    sum(t.sessions * t.sign),
    sum(t.plays * t.sign),
    sum(t.skips * t.sign),
    sum(t.ms_played * t.sign)
from (
    select
        listener_key, local_date, listening_context_key, plays, skips, ms_played, 0 as sessions, true as is_now,
        1 as sign
    from day_now
    union all
    select listener_key, local_date, listening_context_key, plays, skips, ms_played, 0, false, -1 from day_before
    union all
    select listener_key, local_date, listening_context_key, 0, 0, 0, 1, true, 1 from session_now
    union all
    select listener_key, local_date, listening_context_key, 0, 0, 0, 1, false, -1 from session_before
) as t
inner join mart.listening_context as c on c.listening_context_key = t.listening_context_key
group by t.local_date, c.subscription_plan, c.continent, c.device_type
on conflict (local_date, subscription_plan, continent, device_type) do update
set users = e.users + excluded.users,
    sessions = e.sessions + excluded.sessions,
    plays = e.plays + excluded.plays,
    skips = e.skips + excluded.skips,
    ms_played = e.ms_played + excluded.ms_played;

delete from mart.daily_engagement where users = 0 and sessions = 0 and plays = 0 and skips = 0;

-- The days on which a user counts for a day, week or month that ends with it: now and not before, or before and not
-- now.
create temporary table active_change on commit drop as
select d.day::date as local_date, w.span, d.sign
from listened_before as b
inner join listened_now as n on n.listener_key = b.listener_key
cross join (values (1), (7), (30)) as w (span)
cross join lateral (
    select
        (
            select coalesce(range_agg(daterange(lower(r.days), upper(r.days) + w.span - 1)), '{}'::datemultirange)
            from unnest(b.days) as r (days)
        ) as before,
        (
            select coalesce(range_agg(daterange(lower(r.days), upper(r.days) + w.span - 1)), '{}'::datemultirange)
            from unnest(n.days) as r (days)
        ) as now
) as a
cross join lateral (
    select g.day, 1 as sign
    from unnest(a.now - a.before) as r (days)
    cross join
        lateral generate_series(lower(r.days)::timestamp, upper(r.days)::timestamp - interval '1 day', '1 day')
            as g (day)
    union all
    select g.day, -1
    from unnest(a.before - a.now) as r (days)
    cross join
        lateral generate_series(lower(r.days)::timestamp, upper(r.days)::timestamp - interval '1 day', '1 day')
            as g (day)
) as d
where b.days <> n.days;

insert into mart.active_user_count as a (local_date, daily_users, weekly_users, monthly_users)
select
    local_date,
    coalesce(sum(sign) filter (where span = 1), 0),
    coalesce(sum(sign) filter (where span = 7), 0),
    coalesce(sum(sign) filter (where span = 30), 0)
from active_change
group by local_date
on conflict (local_date) do update
set daily_users = a.daily_users + excluded.daily_users,
    weekly_users = a.weekly_users + excluded.weekly_users,
    monthly_users = a.monthly_users + excluded.monthly_users;

delete from mart.active_user_count where monthly_users = 0;

-- Weeks that count for a user's cohort: all of them if the cohort has changed, else those of the changed days.
create temporary table cohort on commit drop as
select
    b.listener_key,
    b.days as days_before,
    n.days as days_now,
    date_trunc('week', lower(b.days)::timestamp)::date as before,
    date_trunc('week', lower(n.days)::timestamp)::date as now
from listened_before as b
inner join listened_now as n on n.listener_key = b.listener_key
where b.days <> n.days;

create temporary table cohort_week on commit drop as
select c.*, w.week_start
from cohort as c
inner join (
    select distinct listener_key, date_trunc('week', local_date::timestamp)::date as week_start from changed_day
) as w on w.listener_key = c.listener_key
where c.before = c.now
union all
select c.*, g.week::date
from cohort as c
cross join lateral generate_series(
    least(c.before, c.now)::timestamp, greatest(upper(c.days_before), upper(c.days_now))::timestamp, '7 days'
) as g (week)
where c.before is distinct from c.now;

insert into mart.retention_count as r (cohort_week, week_start, users)
select cohort_week, week_start, sum(sign)
from (
    select now as cohort_week, week_start, 1 as sign
    from cohort_week
    where days_now && daterange(week_start, week_start + 7)
    union all
    select before, week_start, -1
    from cohort_week
    where days_before && daterange(week_start, week_start + 7)
) as told
group by cohort_week, week_start
on conflict (cohort_week, week_start) do update set users = r.users + excluded.users;

delete from mart.retention_count where users = 0;
