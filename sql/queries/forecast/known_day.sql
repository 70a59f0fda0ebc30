-- The users' own days that are known: all loads of them have come, the marts have them, and they are over in the last
-- timezone. Of a local day, that is the day in UTC and its two neighbours. Days without an event within what a source
-- has brought are known, too: zeros. From the first day of a feed on, days that it does not cover are not known, even
-- if another source has some of their plays, until the feed has been silent for four weeks: then it has ended. Nor are
-- days known in which plays of half of the users or more are missing.
with built as (
    select max(finished_at) as built_at
    from audit.run
    where job = 'build_marts' and result in ('published', 'nothing_new')
),

covered as (
    select
        a.source,
        range_agg(
            case
                when a.source = 'feed' then a.covered_days
                else datemultirange(
                    daterange(
                        cast(
                            case
                                when a.source = 'recently_played' then least(a.known_until, a.first_event_time)
                                else a.first_event_time
                            end at time zone 'UTC' as date
                        ),
                        cast(a.last_event_time at time zone 'UTC' as date),
                        '[]'
                    )
                )
            end
        ) as days,
        max(a.last_event_time) as last_event_time
    from audit.arrival as a
    inner join audit.run as r on r.run_id = a.run_id
    inner join built as b on b.built_at > r.finished_at
    where a.source in ('feed', 'recently_played') or a.source = any(:export_sources)
    group by a.source
),

span as (
    select
        range_agg(days) as days,
        range_agg(days) filter (where source = 'feed') as feed_days,
        cast(least(max(last_event_time), :known_at) at time zone 'UTC' - interval '12 hours' as date) as open_day
    from covered
),

feed as (
    select
        case
            when upper(feed_days) < open_day - 28 then datemultirange(range_merge(feed_days))
            else datemultirange(daterange(lower(feed_days), null))
        end - feed_days as missing_days
    from span
    where feed_days is not null and not isempty(feed_days)
),

listener_count as (
    select count(*) as listeners from mart.listened_days
)

select cast(d.day as date) as local_date
from span as s
cross join lateral generate_series(
    cast(lower(s.days) as timestamp), cast(s.open_day - 1 as timestamp), interval '1 day'
) as d (day)
cross join lateral (
    select daterange(cast(d.day as date) - 1, cast(d.day as date) + 1, '[]') as days
) as w
cross join listener_count as l
where s.days @> w.days
    and not exists (select from feed as f where f.missing_days && w.days)
    and 2 * (
        select count(distinct g.user_id)
        from audit.gap as g
        where g.closed_at is null and daterange(
            cast(g.gap_from at time zone 'UTC' as date), cast(g.gap_to at time zone 'UTC' as date), '[]'
        ) && w.days
    ) < l.listeners
