-- Sums of a listener's day, from which personalities are computed; docs/personality.md explains the formulas.
create temporary table recounted_day on commit drop as
select listener_key, local_date
from (
    select listener_key, local_date from changed_day
    union
    select p.listener_key, p.local_date
    from moved_artist as m
    inner join mart.counted_play as p on p.artist_key = m.artist_key
) as d;

analyze recounted_day;

-- A change of a day affects the thirty choices before it, and the thirty plays and then thirty choices after it. The
-- values of those days depend on thirty more choices on either side, and these on thirty plays before. A choice is a
-- play, and a day has at least one choice: so ninety choices on either side are enough.
create temporary table told_reach on commit drop as
select
    c.listener_key,
    daterange(
        coalesce(b.told_from, b.first_date, c.local_date),
        coalesce(a.told_until, greatest(k.last_date, c.local_date)),
        '[]'
    ) as told,
    daterange(
        coalesce(b.read_from, b.first_date, c.local_date),
        coalesce(a.read_until, greatest(k.last_date, c.local_date)),
        '[]'
    ) as read
from recounted_day as c
cross join lateral (
    select max(local_date) as last_date from mart.personality_day where listener_key = c.listener_key
) as k
cross join lateral (
    select
        min(local_date) as first_date,
        max(local_date) filter (where choices >= 30) as told_from,
        max(local_date) filter (where choices >= told_choices + 60) as read_from
    from (
        select *, min(choices) filter (where choices >= 30) over () as told_choices
        from (
            select local_date, sum(choices) over (order by local_date desc) as choices
            from (
                select local_date, choices
                from mart.personality_day
                where listener_key = c.listener_key and local_date < c.local_date and choices > 0
                order by local_date desc
                limit 90
            ) as near
        ) as summed
    ) as counted
) as b
cross join lateral (
    select
        min(local_date) filter (where choices >= 60) as told_until,
        min(local_date) filter (where choices >= told_choices + 30) as read_until
    from (
        select *, min(choices) filter (where choices >= 60) over () as told_choices
        from (
            select local_date, sum(choices) over (order by local_date) as choices
            from (
                select local_date, choices
                from mart.personality_day
                where listener_key = c.listener_key and local_date > c.local_date and choices > 0
                order by local_date
                limit 90
            ) as near
        ) as summed
    ) as counted
) as a
where k.last_date is not null
union all
-- For users without earlier values, the changed days contain all plays.
select c.listener_key, c.during, c.during
from (
    select listener_key, daterange(min(local_date), max(local_date), '[]') as during
    from recounted_day
    group by listener_key
) as c
where not exists (select from mart.personality_day as d where d.listener_key = c.listener_key)
union all
select l.listener_key, r.during, r.during
from mart.listened_days as l
cross join (values (daterange('-infinity', 'infinity', '[]'))) as r (during)
where exists (select from moved_kind);

create temporary table told_span on commit drop as
select listener_key, lower(t.during) as first_date, upper(t.during) as end_date
from (select listener_key, range_agg(told) as told from told_reach group by listener_key) as r
cross join lateral unnest(r.told) as t (during);

create temporary table read_span on commit drop as
select
    row_number() over () as span_number, listener_key, lower(t.during) as first_date, upper(t.during) as end_date
from (select listener_key, range_agg(read) as read from told_reach group by listener_key) as r
cross join lateral unnest(r.read) as t (during);

analyze told_span;
analyze read_span;

delete from mart.personality_day as d
using told_span as s
where d.listener_key = s.listener_key and d.local_date >= s.first_date and d.local_date < s.end_date;

-- Plays are ordered by the user's days, and by time within a day: so the plays of a day are adjacent.
create temporary table told_now on commit drop as
with
-- Ranks in whole millionths: their sums are the same in every order.
placed as (
    select
        s.span_number,
        s.listener_key,
        p.local_date,
        p.event_time,
        t.recording_key,
        p.artist_key,
        row_number() over (
            partition by s.span_number order by p.local_date, p.event_time, p.track_key, p.artist_key
        ) as play_number,
        round(a.place * 1000000)::bigint as popularity_millionths,
        case
            -- Played before its release date, or by a wrong clock: as new as possible.
            when r.share_until > o.share_until then 1000000
            else round((r.share_below + r.share_until) / 2 / nullif(o.share_until, 0) * 1000000)::bigint
        end as release_millionths
    from read_span as s
    inner join mart.counted_play as p
        on p.listener_key = s.listener_key and p.local_date >= s.first_date and p.local_date < s.end_date
    inner join mart.counted_track as t on t.track_key = p.track_key
    left join mart.artist_place as a on a.artist_key = p.artist_key
    left join mart.catalogue_place as r on r.kind = 'release_month' and r.value = t.release_month
    left join mart.catalogue_place as o
        on o.kind = 'release_month'
        and o.value = extract(year from p.event_time at time zone 'UTC') * 12
        + extract(month from p.event_time at time zone 'UTC') - 1
    -- Plays from a playlist describe its author.
    where not p.is_excluded and not p.is_from_playlist and t.recording_key > 0 and p.artist_key > 0
),

-- The distance in plays to the previous and the next play of the same recording.
neighboured as (
    select
        *,
        play_number - lag(play_number) over same_recording as since_last,
        play_number - lag(play_number, 2) over same_recording as since_last_but_one,
        lead(play_number) over same_recording - play_number as until_next,
        lead(play_number, 2) over same_recording - play_number as until_next_but_one
    from placed
    window same_recording as (partition by span_number, recording_key order by play_number)
),

numbered as (
    select
        *,
        coalesce(
            since_last_but_one <= 30 or until_next_but_one <= 30 or (since_last <= 30 and until_next <= 30), false
        ) as is_on_repeat,
        coalesce(since_last > 30, true) as is_choice,
        count(*) filter (where since_last is null or since_last > 30)
            over (partition by span_number order by play_number rows unbounded preceding) as choice_number
    from neighboured
),

compared as (
    select
        *,
        min(recording_key) over near_choices = max(recording_key) over near_choices as is_elsewhere_unheard
    from numbered
    window near_choices as (
        partition by span_number, is_choice, artist_key
        order by choice_number
        range between 30 preceding and 30 following
    )
)

select
    min(c.event_time) as first_play_at,
    coalesce(sum(c.release_millionths) filter (where c.is_choice), 0) as release_total,
    coalesce(sum(c.release_millionths * c.release_millionths) filter (where c.is_choice), 0) as release_square_total,
    coalesce(sum(c.popularity_millionths) filter (where c.is_choice), 0) as popularity_total,
    coalesce(sum(c.popularity_millionths * c.popularity_millionths) filter (where c.is_choice), 0)
        as popularity_square_total,
    c.listener_key,
    c.local_date,
    count(*) as plays,
    count(c.release_millionths) as dated_plays,
    count(*) filter (where c.is_on_repeat) as plays_on_repeat,
    count(*) filter (where c.is_choice) as choices,
    count(*) filter (where c.is_choice and c.is_elsewhere_unheard) as unheard_choices,
    count(c.release_millionths) filter (where c.is_choice) as dated_choices,
    count(c.popularity_millionths) filter (where c.is_choice) as rated_choices
from compared as c
group by c.listener_key, c.local_date;

insert into mart.personality_day (
    first_play_at, release_total, release_square_total, popularity_total, popularity_square_total, listener_key,
    local_date, plays, dated_plays, plays_on_repeat, choices, unheard_choices, dated_choices, rated_choices
)
select n.*
from told_now as n
inner join told_span as s
    on s.listener_key = n.listener_key and n.local_date >= s.first_date and n.local_date < s.end_date
order by n.listener_key, n.local_date;
