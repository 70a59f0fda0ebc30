-- The versions of the staged users, computed again from all records about them, so that the order of arrival does not
-- matter. A field that a record lacks has its previous value; before its first value, it has that first value.
create temporary table told_user on commit drop as
with moment as (
    select
        user_id,
        valid_from,
        (array_agg(country order by source) filter (where country is not null))[1] as country,
        (array_agg(continent order by source) filter (where country is not null))[1] as continent,
        (array_agg(timezone order by source) filter (where timezone is not null))[1] as timezone,
        (array_agg(subscription_plan order by source) filter (where subscription_plan is not null))[1]
            as subscription_plan
    from warehouse.user_record
    where user_id in (select user_id from staging.user_record)
    group by user_id, valid_from
),

counted as (
    select
        *,
        greatest(count(country) over earlier, 1) as country_number,
        greatest(count(timezone) over earlier, 1) as timezone_number,
        greatest(count(subscription_plan) over earlier, 1) as plan_number
    from moment
    window earlier as (partition by user_id order by valid_from)
),

filled as (
    select
        user_id,
        valid_from,
        max(country) over (partition by user_id, country_number) as country,
        max(continent) over (partition by user_id, country_number) as continent,
        max(timezone) over (partition by user_id, timezone_number) as timezone,
        max(subscription_plan) over (partition by user_id, plan_number) as subscription_plan
    from counted
),

marked as (
    select
        *,
        row_number() over earlier = 1
        or (
            (country, timezone, subscription_plan)
            is distinct from (
                lag(country) over earlier, lag(timezone) over earlier, lag(subscription_plan) over earlier
            )
        ) as is_version
    from filled
    window earlier as (partition by user_id order by valid_from)
),

lasting as (
    select
        user_id,
        (array_agg(username order by valid_from desc, source) filter (where username is not null))[1] as username,
        (array_agg(birthdate order by valid_from desc, source) filter (where birthdate is not null))[1] as birthdate,
        (array_agg(gender order by valid_from desc, source) filter (where gender is not null))[1] as gender,
        (array_agg(favourite_genre order by valid_from desc, source) filter (where favourite_genre is not null))[1]
            as favourite_genre,
        (array_agg(source order by valid_from desc, source))[1] as source
    from warehouse.user_record
    where user_id in (select user_id from staging.user_record)
    group by user_id
)

select
    v.user_id,
    case when row_number() over later = 1 then timestamptz '-infinity' else v.valid_from end as valid_from,
    coalesce(lead(v.valid_from) over later, timestamptz 'infinity') as valid_to,
    l.username,
    v.country,
    v.continent,
    v.timezone,
    l.birthdate,
    l.gender,
    l.favourite_genre,
    v.subscription_plan,
    l.source
from marked as v
inner join lasting as l on l.user_id = v.user_id
where v.is_version
window later as (partition by v.user_id order by v.valid_from);

-- The previous versions of users whose versions have changed: their events may need another version.
create temporary table former_version on commit drop as
select t.user_key, t.user_id, t.timezone
from warehouse.dim_user as t
where t.user_id in (
    select coalesce(n.user_id, o.user_id)
    from told_user as n
    full join (
        select * from warehouse.dim_user where user_id in (select user_id from told_user)
    ) as o on o.user_id = n.user_id and o.valid_from = n.valid_from
    where (o.valid_to, o.timezone) is distinct from (n.valid_to, n.timezone)
);

-- The time from which versions of a known user differ: the marts count by plan and country.
create temporary table altered_user on commit drop as
select o.user_id, min(coalesce(n.valid_from, o.valid_from)) as altered_from
from (select * from warehouse.dim_user where user_id in (select user_id from told_user)) as o
left join told_user as n on n.user_id = o.user_id and n.valid_from = o.valid_from
where (o.valid_to, o.country, o.continent, o.timezone, o.subscription_plan)
    is distinct from (n.valid_to, n.country, n.continent, n.timezone, n.subscription_plan)
group by o.user_id;

analyze altered_user;

insert into audit.changed_day (listener_key, local_date)
select distinct d.listener_key, d.local_date
from altered_user as a
inner join mart.listener as l on l.user_id = a.user_id
inner join mart.listener_day as d
    on d.listener_key = l.listener_key and d.local_date >= (a.altered_from at time zone 'UTC')::date - 1
on conflict do nothing;

delete from warehouse.dim_user as t
where t.user_id in (select user_id from told_user)
    and not exists (select from told_user as n where n.user_id = t.user_id and n.valid_from = t.valid_from);

update warehouse.dim_user as t
set valid_to = n.valid_to,
    username = n.username,
    country = n.country,
    continent = n.continent,
    timezone = n.timezone,
    birthdate = n.birthdate,
    gender = n.gender,
    favourite_genre = n.favourite_genre,
    subscription_plan = n.subscription_plan,
    source = n.source,
    is_inferred = false
from told_user as n
where t.user_id = n.user_id
    and t.valid_from = n.valid_from
    and (
        t.valid_to, t.username, t.country, t.continent, t.timezone, t.birthdate, t.gender, t.favourite_genre,
        t.subscription_plan, t.source, t.is_inferred
    ) is distinct from (
        n.valid_to, n.username, n.country, n.continent, n.timezone, n.birthdate, n.gender, n.favourite_genre,
        n.subscription_plan, n.source, false
    );

insert into warehouse.dim_user (
    user_key, user_id, username, country, continent, timezone, birthdate, gender, favourite_genre, subscription_plan,
    source, valid_from, valid_to
)
select
    greatest((select max(user_key) from warehouse.dim_user), (select max(user_key) from former_version))
    + row_number() over (order by n.user_id, n.valid_from),
    n.user_id,
    n.username,
    n.country,
    n.continent,
    n.timezone,
    n.birthdate,
    n.gender,
    n.favourite_genre,
    n.subscription_plan,
    n.source,
    n.valid_from,
    n.valid_to
from told_user as n
where not exists (
    select from warehouse.dim_user as t where t.user_id = n.user_id and t.valid_from = n.valid_from
)
order by n.user_id, n.valid_from;

analyze warehouse.dim_user;

-- Events refer to the version that was valid at their time, and local times to the user's home at that time.
create temporary table moved on commit drop as
select o.user_key as former_key, v.user_key, v.valid_from, v.valid_to, v.timezone
from former_version as o
inner join warehouse.dim_user as v on v.user_id = o.user_id
where v.user_key <> o.user_key or v.timezone is distinct from o.timezone;

analyze moved;

do $$
declare
    target regclass;
begin
    foreach target in array '{warehouse.fact_event, warehouse.fact_spoken_event, audit.dropped_event}'::regclass[] loop
        execute format(
            $update$
            update %1$s as t
            set user_key = n.user_key,
                local_time = n.local_time,
                local_hour = extract(hour from n.local_time),
                date_key = to_char(n.local_time, 'yyyymmdd')::integer
            from (
                select
                    e.event_id,
                    e.event_time,
                    m.user_key,
                    case
                        when e.is_home_time then e.event_time at time zone coalesce(m.timezone, 'UTC') else e.local_time
                    end as local_time
                from moved as m
                inner join %1$s as e
                    on e.user_key = m.former_key and e.event_time >= m.valid_from and e.event_time < m.valid_to
            ) as n
            where t.event_id = n.event_id
                and t.event_time = n.event_time
                and (t.user_key, t.local_time) is distinct from (n.user_key, n.local_time)
            $update$,
            target
        );
    end loop;
end
$$;
