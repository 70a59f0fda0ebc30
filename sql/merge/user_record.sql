-- If two records of a source have the same timestamp, each field has the greatest value, so that their order does not
-- matter. A timezone that this server does not have is read as missing.
with told as (
    select
        s.user_id,
        s.valid_from,
        s.source,
        max(s.username collate "C") as username,
        max(s.birthdate) as birthdate,
        max(s.gender collate "C") as gender,
        max(s.country collate "C") as country,
        (
            array_agg(
                s.continent order by s.country collate "C" desc nulls last, s.continent collate "C" desc nulls last
            )
        )[1]
            as continent,
        max(s.timezone collate "C") filter (where s.timezone in (select name from pg_timezone_names)) as timezone,
        max(s.favourite_genre collate "C") as favourite_genre,
        max(s.subscription_plan collate "C") as subscription_plan
    from staging.user_record as s
    group by s.user_id, s.valid_from, s.source
),

told_by_api as (
    select * from told where source = 'api'
)

-- The API is called in the order of time, every night: a response equal to the previous one adds no record.
insert into warehouse.user_record as r (
    user_id,
    valid_from,
    source,
    username,
    birthdate,
    gender,
    country,
    continent,
    timezone,
    favourite_genre,
    subscription_plan
)
select
    s.user_id, s.valid_from, s.source, s.username, s.birthdate, s.gender, s.country, s.continent, s.timezone,
    s.favourite_genre, s.subscription_plan
from told as s
left join lateral (
    select t.*
    from (
        select
            user_id, valid_from, source, username, birthdate, gender, country, continent, timezone, favourite_genre,
            subscription_plan
        from warehouse.user_record
        union all
        select
            user_id, valid_from, source, username, birthdate, gender, country, continent, timezone, favourite_genre,
            subscription_plan
        from told_by_api as n
        where n.valid_from < s.valid_from
    ) as t
    where s.source = 'api' and t.user_id = s.user_id and t.source = s.source and t.valid_from <= s.valid_from
    order by t.valid_from desc
    limit 1
) as last on true
where last.user_id is null
    or (
        last.username, last.birthdate, last.gender, last.country, last.continent, last.timezone, last.favourite_genre,
        last.subscription_plan
    ) is distinct from (
        coalesce(s.username, last.username), coalesce(s.birthdate, last.birthdate), coalesce(s.gender, last.gender),
        coalesce(s.country, last.country), coalesce(s.continent, last.continent), coalesce(s.timezone, last.timezone),
        coalesce(s.favourite_genre, last.favourite_genre), coalesce(s.subscription_plan, last.subscription_plan)
    )
order by s.user_id, s.valid_from, s.source
on conflict (user_id, valid_from, source) do update
set username = greatest(r.username collate "C", excluded.username collate "C"),
    birthdate = greatest(r.birthdate, excluded.birthdate),
    gender = greatest(r.gender collate "C", excluded.gender collate "C"),
    (country, continent) = (
        select p.country, p.continent
        from (values (r.country, r.continent), (excluded.country, excluded.continent)) as p (country, continent)
        order by p.country collate "C" desc nulls last, p.continent collate "C" desc nulls last
        limit 1
    ),
    timezone = greatest(r.timezone collate "C", excluded.timezone collate "C"),
    favourite_genre = greatest(r.favourite_genre collate "C", excluded.favourite_genre collate "C"),
    subscription_plan = greatest(r.subscription_plan collate "C", excluded.subscription_plan collate "C")
where (
    r.username, r.birthdate, r.gender, r.country, r.continent, r.timezone, r.favourite_genre, r.subscription_plan
) is distinct from (
    excluded.username, excluded.birthdate, excluded.gender, excluded.country, excluded.continent, excluded.timezone,
    excluded.favourite_genre, excluded.subscription_plan
);

analyze warehouse.user_record;
