-- Rejected messages are compared from an offset on: from the first one, or between two pairs of batches.
with rejected_until as (
    select b.batch_id, sum(n.messages) as messages
    from live.batch as b
    cross join lateral unnest(b.rejected_messages) as n (messages)
    where b.batch_id in (
        :last_within, :first_beyond, cast(:start_within as bigint), cast(:start_beyond as bigint)
    )
    group by b.batch_id
),

rejected as (
    select
        last_within.messages - coalesce(start_beyond.messages, 0) as fewest,
        first_beyond.messages - coalesce(start_within.messages, 0) as most,
        case
            when cast(:is_from_beginning as boolean)
                then (select max(p.complete_from) = '-infinity' from live.progress as p)
            else start_within.batch_id is not null and start_beyond.batch_id is not null
        end as is_comparable,
        (
            select coalesce(sum(c.rows_rejected), 0)
            from audit.row_count as c
            inner join audit.run as r on r.run_id = c.run_id
            where c.input_id = any(:rejected_input_ids) and r.result = 'published'
        ) as star_rejected
    from rejected_until as last_within
    inner join rejected_until as first_beyond on first_beyond.batch_id = :first_beyond
    left join rejected_until as start_within on start_within.batch_id = cast(:start_within as bigint)
    left join rejected_until as start_beyond on start_beyond.batch_id = cast(:start_beyond as bigint)
    where last_within.batch_id = :last_within
),

difference as (
    select
        c.hour_start,
        c.user_id,
        c.track_id,
        c.activity_type,
        case when c.star_events < c.fewest_events then c.fewest_events else c.most_events end as live_events,
        c.star_events
    from compared_hour as c
    where c.star_events not between c.fewest_events and c.most_events
    union all
    select
        'epoch',
        '',
        '',
        'REJECTED',
        case when r.star_rejected < r.fewest then r.fewest else r.most end,
        r.star_rejected
    from rejected as r
    where r.is_comparable and r.star_rejected not between r.fewest and r.most
)

insert into audit.live_difference (
    checked_at, generation, hour_start, user_id, track_id, activity_type, live_events, star_events
)
select
    :checked_at,
    (select min(p.generation) from live.progress as p),
    d.hour_start,
    d.user_id,
    d.track_id,
    d.activity_type,
    d.live_events,
    d.star_events
from difference as d
order by d.hour_start, d.user_id, d.track_id, d.activity_type
limit :max_differences
