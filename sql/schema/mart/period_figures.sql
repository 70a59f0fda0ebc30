create function mart.period_figures(user_id text, first_date date, last_date date)
returns table (
    minutes_played bigint,
    plays bigint,
    tracks bigint,
    albums bigint,
    artists bigint,
    new_artists bigint,
    days_with_plays bigint,
    favourite_hour smallint,
    spoken_minutes bigint,
    spoken_plays bigint,
    shows bigint
)
language sql
stable parallel safe
as $$
    with play as materialized (
        select p.*
        from mart.period_play(period_figures.user_id, period_figures.first_date, period_figures.last_date) as p
    ),

    played_track as (
        select d.recording_key, d.album_key
        from (select distinct p.track_key from play as p where p.track_key > 0) as t
        inner join warehouse.dim_track as d on d.track_key = t.track_key
    ),

    played_artist as (
        select distinct p.artist_key
        from play as p
        where p.artist_key > 0
    ),

    -- The months before have one row each; of the month in which the period begins, the plays are read.
    known_artist as (
        select i.artist_key
        from mart.listener_count as c
        cross join lateral unnest(c.item_keys) as i (artist_key)
        where c.listener_key = (
                select l.listener_key from mart.listener as l where l.user_id = period_figures.user_id
            )
            and c.kind = 'artist'
            and c.month_start < date_trunc('month', period_figures.first_date::timestamp)::date
        union
        select p.artist_key
        from mart.period_play(
            period_figures.user_id,
            date_trunc('month', period_figures.first_date::timestamp)::date,
            period_figures.first_date - 1
        ) as p
    ),

    spoken as (
        select s.ms_played, coalesce(s.show_name, s.spoken_name, s.spoken_id) as show
        from mart.spoken_play as s
        where s.user_id = period_figures.user_id
            -- A day lasts until noon of the next in UTC at the latest, and begins ten hours before its date: with
            -- these bounds only the partitions of the period are read.
            and s.event_time >= (period_figures.first_date - 2)::timestamptz
            and s.event_time < (period_figures.last_date + 3)::timestamptz
            and s.local_date between period_figures.first_date and period_figures.last_date
    )

    select
        coalesce(sum(p.ms_played::bigint), 0)::bigint / 60000,
        count(*),
        (select count(distinct t.recording_key) from played_track as t where t.recording_key > 0),
        (select count(distinct t.album_key) from played_track as t where t.album_key > 0),
        (select count(*) from played_artist),
        (
            select count(*)
            from played_artist as a
            where a.artist_key not in (select k.artist_key from known_artist as k)
        ),
        count(distinct p.local_date),
        (
            select h.local_hour
            from play as h
            group by h.local_hour
            order by count(*) desc, h.local_hour
            limit 1
        ),
        (select coalesce(sum(s.ms_played::bigint), 0)::bigint / 60000 from spoken as s),
        (select count(*) from spoken as s),
        (select count(distinct s.show) from spoken as s)
    from play as p
$$;

comment on function mart.period_figures is 'What a user played from first_date to last_date, both included, on the user''s calendar: one row. Minutes are whole; new artists are those never played before first_date; podcasts and audiobooks are in the three spoken columns only.';
