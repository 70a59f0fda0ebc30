-- The API is asked in order of time, each night anew: an answer that says what its last one said is no news.
insert into warehouse.user_record (
    user_id, valid_from, source, username, birthdate, gender, country, continent, timezone, favourite_genre, subscription_plan
)
select
    s.user_id, s.valid_from, s.source, s.username, s.birthdate, s.gender, s.country, s.continent, s.timezone,
    s.favourite_genre, s.subscription_plan
from staging.user_record as s
left join lateral (
    select t.*
    from warehouse.user_record as t
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
on conflict do nothing;

analyze warehouse.user_record;
