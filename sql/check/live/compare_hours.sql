-- The events of each key in closed hours, the fewest and the most that the star may have, and those that it has. An
-- hour is closed here by the newest watermark, because the batches bound both sides for a continent that lags, too.
create temporary table compared_hour on commit drop as
with span as (
    select
        greatest(
            (select min(u.hour_start) from live.user_hour as u),
            (select date_trunc('hour', max(p.complete_from) + interval '1 hour') from live.progress as p),
            -- Older hours are removed; a late event may have brought a part of one back.
            (
                select date_trunc('day', max(p.watermark) - :retention, 'UTC')
                from live.progress as p
            )
        ) as compared_from,
        (select date_trunc('hour', max(p.watermark)) from live.progress as p) as compared_before
),

live_side as (
    select
        u.hour_start,
        u.user_id,
        case when starts_with(u.track_id, 'title:') then '' else u.track_id end as track_id,
        u.activity_type,
        sum(u.events + u.late_events) filter (where u.batch_id <= :last_within) as fewest_events,
        sum(u.events + u.late_events) as most_events
    from span as s
    inner join live.user_hour as u on u.hour_start >= s.compared_from and u.hour_start < s.compared_before
    where u.batch_id <= :first_beyond
    group by 1, 2, 3, 4
),

star_event as (
    select e.event_time, e.user_key, e.track_key, e.activity_type
    from span as s
    inner join warehouse.fact_event as e on e.event_time >= s.compared_from and e.event_time < s.compared_before
    where e.input_key in (select i.input_key from audit.input as i where i.input_id = any(:input_ids))
    union all
    -- Plays that another source reports, too.
    select e.event_time, e.user_key, e.track_key, e.activity_type
    from span as s
    inner join audit.dropped_event as e on e.event_time >= s.compared_from and e.event_time < s.compared_before
    where e.input_key in (select i.input_key from audit.input as i where i.input_id = any(:input_ids))
),

star_side as (
    select
        date_trunc('hour', e.event_time) as hour_start,
        u.user_id,
        case when t.track_key <= 0 or starts_with(t.track_id, 'name:') then '' else t.track_id end as track_id,
        e.activity_type,
        count(*) as events
    from star_event as e
    inner join warehouse.dim_user as u on u.user_key = e.user_key
    inner join warehouse.dim_track as t on t.track_key = e.track_key
    group by 1, 2, 3, 4
)

select
    hour_start,
    user_id,
    track_id,
    activity_type,
    coalesce(l.fewest_events, 0)::bigint as fewest_events,
    coalesce(l.most_events, 0)::bigint as most_events,
    coalesce(s.events, 0)::bigint as star_events
from live_side as l
full join star_side as s using (hour_start, user_id, track_id, activity_type);

select count(distinct hour_start) as hours, coalesce(sum(star_events), 0)::bigint as events
from compared_hour;
