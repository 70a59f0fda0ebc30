-- What an artist sees of the own audience. A group of fewer than five listeners is not shown, and whoever subtracts what is
-- shown from the whole does not find it either: the hidden groups stand in one row without a name, together with the smallest
-- shown group, so that this row has five listeners or more, too. The three views divide the same plays, so nothing but such
-- rows can be found by comparing them; numbers are rounded down to fives, so that a day's difference tells little.
create or replace view mart.my_artist_audience with (security_barrier) as
with week as (
    select
        w.week_start,
        w.plays,
        w.listeners,
        w.new_listeners,
        w.listeners - w.new_listeners as returning_listeners,
        w.listeners >= 5 as is_group,
        bool_or(w.listeners < 5) over () as has_hidden,
        row_number() over (order by w.listeners < 5, w.listeners, w.plays, w.week_start) = 1 as is_smallest
    from mart.artist_week as w
    where w.listeners > 0
        and w.artist_key = (
            select a.artist_key
            from audit.signed_in as s
            inner join warehouse.dim_artist as a on a.artist_id = s.artist_id
        )
),

told as (
    select *, is_group and not (has_hidden and is_smallest) as is_named,
        -- Of two parts of a known sum both are shown or none.
        (new_listeners = 0 or new_listeners >= 5) and (returning_listeners = 0 or returning_listeners >= 5) as is_divided
    from week
)

select
    week_start,
    plays / 5 * 5 as plays,
    listeners / 5 * 5 as listeners,
    case when is_divided then new_listeners / 5 * 5 end as new_listeners,
    case when is_divided then returning_listeners / 5 * 5 end as returning_listeners
from told
where is_named
union all
select null, (sum(plays) / 5)::integer * 5, null, null, null
from told
where not is_named
having bool_or(is_group);

create or replace view mart.my_artist_country with (security_barrier) as
with country as (
    select
        c.country,
        c.plays,
        c.listeners,
        c.listeners >= 5 as is_group,
        bool_or(c.listeners < 5) over () as has_hidden,
        row_number() over (order by c.listeners < 5, c.listeners, c.plays, c.country) = 1 as is_smallest
    from mart.artist_country as c
    where c.listeners > 0
        and c.artist_key = (
            select a.artist_key
            from audit.signed_in as s
            inner join warehouse.dim_artist as a on a.artist_id = s.artist_id
        )
),

told as (
    select *, is_group and not (has_hidden and is_smallest) as is_named from country
)

select country, plays / 5 * 5 as plays, listeners / 5 * 5 as listeners
from told
where is_named
union all
select null, (sum(plays) / 5)::integer * 5, null
from told
where not is_named
having bool_or(is_group);

-- Plays of tracks that nobody knows are a group, too, which has no name.
create or replace view mart.my_artist_track with (security_barrier) as
with artist as (
    select a.artist_key
    from audit.signed_in as s
    inner join warehouse.dim_artist as a on a.artist_id = s.artist_id
),

track as (
    select
        t.artist_key,
        t.recording_key,
        t.plays,
        row_number() over (order by t.plays desc, t.recording_key) as place
    from mart.artist_track as t
    inner join artist on artist.artist_key = t.artist_key
    where t.plays > 0
),

-- Whoever played it as this artist's is a listener of a recording; the fifth who is found ends the search, in which each step
-- looks for a play of somebody else. What is not among the fifty most played is not searched.
heard as (
    select track.recording_key, track.plays, coalesce(found.listeners, 0) = 5 as is_group
    from track
    left join lateral (
        with recursive who as (
            select '{}'::integer [] as listener_keys
            union all
            select who.listener_keys || other.listener_key
            from who
            cross join lateral (
                select p.listener_key
                from mart.counted_track as c
                inner join mart.counted_play as p on p.track_key = c.track_key
                where c.recording_key = track.recording_key
                    and p.artist_key = track.artist_key
                    and not p.is_excluded
                    and p.listener_key <> all (who.listener_keys)
                limit 1
            ) as other
            where cardinality(who.listener_keys) < 5
        )

        select max(cardinality(who.listener_keys)) as listeners from who
    ) as found on track.place <= 50
    union all
    select null, whole.plays - known.plays, false
    from (
        select sum(c.plays)::integer as plays
        from mart.artist_country as c
        inner join artist on artist.artist_key = c.artist_key
    ) as whole
    cross join (select coalesce(sum(plays), 0)::integer as plays from track) as known
    where whole.plays > known.plays
),

told as (
    select
        *,
        is_group and not (
            bool_or(not is_group) over () and row_number() over (order by is_group desc, plays, recording_key) = 1
        ) as is_named
    from heard
)

select d.track_id as recording_id, d.name as track_name, told.plays / 5 * 5 as plays
from told
inner join warehouse.dim_track as d on d.track_key = told.recording_key
where told.is_named
union all
select null, null, (sum(plays) / 5)::integer * 5
from told
where not is_named
having bool_or(is_group);

comment on view mart.my_artist_audience is 'Your own audience by week. Weeks of fewer than five listeners stand in one row without a week, together with the smallest other one. Numbers are rounded down to fives.';
comment on column mart.my_artist_audience.week_start is 'Monday of the week, on the listeners'' calendars; NULL for the weeks that are not shown.';
comment on column mart.my_artist_audience.plays is 'Number of plays.';
comment on column mart.my_artist_audience.listeners is 'Number of listeners.';
comment on column mart.my_artist_audience.new_listeners is 'Listeners who played you for the first time; NULL where these or the others are fewer than five.';
comment on column mart.my_artist_audience.returning_listeners is 'Listeners who had played you in an earlier week; NULL likewise.';
comment on view mart.my_artist_country is 'Where you are played, over all time. Countries of fewer than five listeners stand in one row without a name, together with the smallest other one. Numbers are rounded down to fives.';
comment on column mart.my_artist_country.country is 'ISO 3166-1 alpha-2, "unknown" where it is not known; NULL for the countries that are not shown.';
comment on column mart.my_artist_country.plays is 'Number of plays.';
comment on column mart.my_artist_country.listeners is 'Number of listeners.';
comment on view mart.my_artist_track is 'Your most played recordings, over all time. Those of fewer than five listeners, those beyond the fifty most played, and tracks that nobody knows, stand in one row without a name, together with the least played other one. Numbers are rounded down to fives.';
comment on column mart.my_artist_track.recording_id is 'The track id that names the recording; NULL for those that are not shown.';
comment on column mart.my_artist_track.track_name is 'Its name.';
comment on column mart.my_artist_track.plays is 'Number of plays.';
