-- A field that the source does not say keeps what is known; an answer older than what is known changes nothing.
create temporary table told_user on commit drop as
select
    s.user_id,
    coalesce(s.username, t.username) as username,
    coalesce(s.country, t.country) as country,
    coalesce(s.subscription_plan, t.subscription_plan) as subscription_plan,
    s.source,
    s.seen_at,
    t.user_key,
    t.user_key is not null
    and not t.is_inferred
    and (coalesce(t.country, s.country), coalesce(t.subscription_plan, s.subscription_plan))
    is distinct from (coalesce(s.country, t.country), coalesce(s.subscription_plan, t.subscription_plan)) as is_changed
from staging.dim_user as s
left join warehouse.dim_user as t on t.user_id = s.user_id and t.is_current
where t.valid_from is null or t.valid_from < s.seen_at;

create temporary table new_version on commit drop as
select
    (select max(user_key) from warehouse.dim_user) + row_number() over (order by n.user_id) as user_key,
    n.user_id,
    n.username,
    n.country,
    t.continent,
    t.timezone,
    t.birthdate,
    t.gender,
    t.favourite_genre,
    n.subscription_plan,
    n.source,
    case when t.user_key is null then timestamptz '-infinity' else n.seen_at end as valid_from
from told_user as n
left join warehouse.dim_user as t on t.user_key = n.user_key
where n.user_key is null or n.is_changed;

update warehouse.dim_user as t
set valid_to = n.seen_at
from told_user as n
where n.is_changed and t.user_key = n.user_key;

update warehouse.dim_user as t
set username = n.username,
    country = n.country,
    subscription_plan = n.subscription_plan,
    source = n.source,
    is_inferred = false
from told_user as n
where not n.is_changed
    and t.user_key = n.user_key
    and (t.username, t.country, t.subscription_plan, t.source, t.is_inferred)
    is distinct from (n.username, n.country, n.subscription_plan, n.source, false);

insert into warehouse.dim_user (
    user_key, user_id, username, country, continent, timezone, birthdate, gender, favourite_genre, subscription_plan,
    source, valid_from
)
select
    user_key, user_id, username, country, continent, timezone, birthdate, gender, favourite_genre, subscription_plan,
    source, valid_from
from new_version
order by user_id;

analyze warehouse.dim_user;
