-- The changes since the last build, and their events.
create temporary table remapped_track on commit drop as
select c.track_key
from taken_track as q
inner join mart.counted_track as c on c.track_key = q.track_key
left join warehouse.dim_track as t on t.track_key = q.track_key
where (c.recording_key, c.audio_features_type, c.release_month) is distinct from (
        t.recording_key,
        t.audio_features_type,
        (extract(year from t.release_date) * 12 + extract(month from t.release_date) - 1)::integer
    )
    or exists (
        select
        from (
            select genre_key, weight_millionths from mart.counted_track_genre where track_key = q.track_key
        ) as o
        full join (
            select genre_key, round(weight * 1000000)::integer as weight_millionths
            from warehouse.bridge_track_genre
            where track_key = q.track_key and genre_key > 0
        ) as n on n.genre_key = o.genre_key and n.weight_millionths = o.weight_millionths
        where o.genre_key is null or n.genre_key is null
    );

insert into remapped_track (track_key)
select t.track_key
from changed_exclusion as x
inner join warehouse.dim_track as t on t.track_id = x.id
where x.kind = 'track';

analyze remapped_track;
analyze changed_exclusion;

create temporary table changed_day on commit drop as
with touched as (
    select listener_key, local_date from taken_day
    union
    select p.listener_key, p.local_date
    from remapped_track as t
    inner join mart.counted_play as p on p.track_key = t.track_key
    union
    select p.listener_key, p.local_date
    from changed_exclusion as x
    inner join warehouse.dim_artist as a on a.artist_id = x.id
    left join mart.applied_artist_merge as m on m.artist_key = a.artist_key
    inner join mart.counted_play as p on p.artist_key in (a.artist_key, m.merged_into_artist_key)
    where x.kind = 'artist'
    union
    select p.listener_key, p.local_date
    from changed_artist_merge as m
    inner join mart.counted_play as p on p.artist_key = m.counted_artist_key
    union
    select x.listener_key, e.local_time::date
    from changed_play_exclusion as x
    inner join mart.listener as l on l.listener_key = x.listener_key
    inner join warehouse.dim_user as u on u.user_id = l.user_id
    inner join warehouse.fact_event as e
        on e.user_key = u.user_key
        -- A day more than any timezone is away; months outside are not read.
        and e.event_time >= coalesce(x.first_date, '-infinity')::timestamp at time zone 'UTC' - interval '2 days'
        and e.event_time <= coalesce(x.last_date, 'infinity')::timestamp at time zone 'UTC' + interval '3 days'
    left join warehouse.dim_play_context as c on c.context_key = e.context_key
    where coalesce(x.first_date <= e.local_time::date, true)
        and coalesce(x.last_date >= e.local_time::date, true)
        and coalesce(x.playlist_key = e.playlist_key, true)
        and coalesce(x.device_type = e.device_type, x.device_type is null)
        and coalesce(x.artist_key = e.artist_key, true)
        and coalesce(x.track_key = e.track_key, true)
        and coalesce(x.platform = c.platform, x.platform is null)
        and (not x.is_private_session or c.is_incognito)
    union
    select l.listener_key, e.local_time::date
    from changed_exclusion as x
    inner join mart.listener as l on l.user_id = x.id
    inner join warehouse.dim_user as u on u.user_id = x.id
    inner join warehouse.fact_event as e on e.user_key = u.user_key
    where x.kind = 'user'
)

select t.listener_key, l.user_id, t.local_date
from touched as t
left join mart.listener as l on l.listener_key = t.listener_key;

create unique index on changed_day (listener_key, local_date);
analyze changed_day;

create temporary table changed_user on commit drop as
select distinct listener_key, user_id from changed_day;

create temporary table changed_track on commit drop as
select track_key from taken_track;

create temporary table changed_playlist on commit drop as
select playlist_key from taken_playlist
union
select p.playlist_key
from changed_track as t
inner join warehouse.fact_playlist_track as p on p.track_key = t.track_key and p.valid_to = 'infinity';

-- The periods in which sessions may begin or end differently: the changed days, in any timezone, what began on them and
-- lasted longer, and all sessions that overlap them or are near enough to be joined.
create temporary table changed_time on commit drop as
with span as (
    select t.listener_key, tstzrange(d.first_time, coalesce(l.ended_at, d.last_time), '[]') as during
    from changed_day as t
    cross join lateral (
        select
            (t.local_date - time '14:00') at time zone 'UTC' as first_time,
            (t.local_date + interval '36 hours') at time zone 'UTC' as last_time
    ) as d
    left join lateral (
        select max(e.ended_at) as ended_at
        from mart.listening_event as e
        where e.listener_key = t.listener_key
            and e.event_time between d.first_time and d.last_time
            and e.ended_at > d.last_time
    ) as l on true
),

whole as (
    select listener_key, range_agg(during) as during from span group by listener_key
),

reached as (
    select w.listener_key, tstzrange(s.started_at, s.ended_at, '[]') as during
    from whole as w
    cross join lateral unnest(w.during) as d (during)
    cross join mart.definition as f
    cross join lateral (
        select started_at, ended_at
        from mart.session
        where listener_key = w.listener_key
            and started_at >= lower(d.during)
            and started_at <= upper(d.during) + f.session_gap_minutes * interval '1 minute'
        union all
        (
            select started_at, ended_at
            from mart.session
            where listener_key = w.listener_key and started_at < lower(d.during)
            order by started_at desc
            limit 1
        )
    ) as s
    where s.ended_at >= lower(d.during) - f.session_gap_minutes * interval '1 minute'
)

select a.listener_key, t.during
from (
    select listener_key, range_agg(during) as during
    from (select * from span union all select * from reached) as b
    group by listener_key
) as a
cross join lateral unnest(a.during) as t (during);

analyze changed_time;

create temporary table near_event on commit drop as
select
    e.listener_key,
    e.track_key,
    e.artist_key,
    e.ms_played,
    e.event_time,
    e.ended_at,
    e.local_date,
    e.local_hour,
    e.is_play,
    e.is_skipped,
    e.is_excluded,
    e.playlist_key <> 0 as is_from_playlist,
    coalesce(e.country, 'unknown') as country,
    coalesce(e.continent, 'unknown') as continent,
    coalesce(e.device_type, 'unknown') as device_type,
    coalesce(e.subscription_plan, 'unknown') as subscription_plan
from changed_time as t
cross join lateral (
    select *
    from mart.listening_event as l
    where l.listener_key = t.listener_key and l.event_time between lower(t.during) and upper(t.during)
    offset 0
) as e;

analyze near_event;

create temporary view changed_event as
select e.*
from near_event as e
inner join changed_day as t on t.listener_key = e.listener_key and t.local_date = e.local_date;

-- Counted plays of days that have not changed: they are there before and now.
create temporary view unchanged_play as
select p.*
from mart.counted_play as p
where not p.is_excluded
    and not exists (
        select from changed_day as d where d.listener_key = p.listener_key and d.local_date = p.local_date
    );
