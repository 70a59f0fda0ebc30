-- Personalities from plays only; docs/personality.md explains the formulas.
create temporary table told_listener on commit drop as
select distinct listener_key from told_span;

create temporary table changed_month on commit drop as
select distinct s.listener_key, date_trunc('month', m.day)::date as month_start
from told_span as s
cross join lateral (
    select d.local_date::timestamp as day
    from mart.personality_day as d
    where d.listener_key = s.listener_key and d.local_date >= s.first_date and d.local_date < s.end_date
    union all
    select m.month_start
    from mart.personality_month as m
    where m.listener_key = s.listener_key
        and m.month_start >= date_trunc('month', s.first_date)
        and m.month_start < s.end_date
) as m;

analyze told_listener;
analyze changed_month;

delete from mart.personality_month as m
using changed_month as c
where m.listener_key = c.listener_key and m.month_start = c.month_start;

insert into mart.personality_month (
    first_play_at, release_total, release_square_total, popularity_total, popularity_square_total, listener_key,
    month_start, plays, dated_plays, plays_on_repeat, choices, unheard_choices, dated_choices, rated_choices
)
select
    min(d.first_play_at),
    sum(d.release_total),
    sum(d.release_square_total),
    sum(d.popularity_total),
    sum(d.popularity_square_total),
    c.listener_key,
    c.month_start,
    sum(d.plays),
    sum(d.dated_plays),
    sum(d.plays_on_repeat),
    sum(d.choices),
    sum(d.unheard_choices),
    sum(d.dated_choices),
    sum(d.rated_choices)
from changed_month as c
inner join mart.personality_day as d
    on d.listener_key = c.listener_key
    and d.local_date >= c.month_start
    and d.local_date < c.month_start + interval '1 month'
group by c.listener_key, c.month_start
order by c.listener_key, c.month_start;

delete from mart.listener_personality as p
using told_listener as l
where p.listener_key = l.listener_key;

insert into mart.listener_personality (
    first_play_at, listener_key, plays, dated_plays, choices, exploration, exploration_error, newness, newness_error,
    loyalty, loyalty_error, commonality, commonality_error
)
with
-- The latest months with 2,000 plays together: a personality is a current one.
latest as (
    select m.*
    from told_listener as l
    cross join lateral (
        select *, sum(plays) over (order by month_start desc) - plays as later_plays
        from mart.personality_month
        where listener_key = l.listener_key
    ) as m
    where m.later_plays < 2000
),

summed as (
    select
        listener_key,
        min(first_play_at) as first_play_at,
        sum(plays) as plays,
        sum(dated_plays) as dated_plays,
        sum(plays_on_repeat) as on_repeat,
        sum(choices) as choices,
        sum(unheard_choices) as unheard,
        sum(dated_choices) as dated,
        sum(rated_choices) as rated,
        sum(release_total) / 1e6 as release_sum,
        sum(release_square_total) / 1e12 as release_squares,
        sum(popularity_total) / 1e6 as popularity_sum,
        sum(popularity_square_total) / 1e12 as popularity_squares
    from latest
    group by listener_key
),

told as (
    select
        *,
        -- The variance of a fraction, with two more observations on either side, so that a fraction of 0 or 1 has an
        -- error, too.
        (on_repeat + 2.0) * (plays - on_repeat + 2.0) / (plays + 4.0) ^ 2 as loyalty_variance,
        (unheard + 2.0) * (choices - unheard + 2.0) / (choices + 4.0) ^ 2 as exploration_variance
    from summed
)

-- Plays come in runs: each counts half as much as an independent one; and no error is below 0.03.
select
    first_play_at,
    listener_key,
    plays,
    dated_plays,
    choices,
    case when choices >= 10 then unheard::double precision / choices end,
    case when choices >= 10 then sqrt(2 * exploration_variance / choices + 0.0009) end,
    case when dated >= 10 then release_sum / dated end,
    case when dated >= 10 then sqrt(2 * (release_squares / dated - (release_sum / dated) ^ 2) / dated + 0.0009) end,
    case when plays >= 50 then on_repeat::double precision / plays end,
    case when plays >= 50 then sqrt(2 * loyalty_variance / plays + 0.0009) end,
    case when rated >= 10 then popularity_sum / rated end,
    case
        when rated >= 10
            then sqrt(2 * (popularity_squares / rated - (popularity_sum / rated) ^ 2) / rated + 0.0009)
    end
from told;
