create function audit.publish_batch(of_artist_key integer, before_week date) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
    -- Not divided at all: NULL where the batch as a whole must wait.
    whole text [] := audit.publishable_parts(of_artist_key, before_week, null);
    weeks text [] := audit.publishable_parts(of_artist_key, before_week, 'week');
    countries text [] := audit.publishable_parts(of_artist_key, before_week, 'country');
    recordings text [] := audit.publishable_parts(of_artist_key, before_week, 'recording');
begin
    if whole is null or weeks is null or countries is null or recordings is null then
        return;
    end if;

    insert into audit.published_artist_week as w (
        artist_key, week_start, plays, listeners, new_listeners, returning_listeners
    )
    select
        of_artist_key,
        b.week_start,
        b.plays,
        coalesce(a.listeners, 0) / 5 * 5,
        case when a.is_divided then a.new_listeners / 5 * 5 end,
        case when a.is_divided then a.returning_listeners / 5 * 5 end
    from (
        select
            case when u.week_start::text = any (weeks) then u.week_start else '-infinity' end as week_start,
            sum(u.plays) as plays
        from audit.unpublished_play as u
        where u.artist_key = of_artist_key and u.week_start < before_week
        group by 1
    ) as b
    -- Of two parts of a known sum both are shown or none, unless one of them is nobody.
    left join lateral (
        select
            t.listeners,
            t.new_listeners,
            t.listeners - t.new_listeners as returning_listeners,
            (t.new_listeners = 0 or t.new_listeners >= 5)
            and (t.listeners = t.new_listeners or t.listeners - t.new_listeners >= 5) as is_divided
        from mart.artist_week as t
        where t.artist_key = of_artist_key and t.week_start = b.week_start
    ) as a on true
    on conflict (artist_key, week_start) do update
    set plays = w.plays + excluded.plays,
        listeners = excluded.listeners,
        new_listeners = excluded.new_listeners,
        returning_listeners = excluded.returning_listeners;

    insert into audit.published_artist_country as c (artist_key, country, plays, listeners)
    select of_artist_key, b.country, b.plays, coalesce(a.listeners, 0) / 5 * 5
    from (
        select case when u.country = any (countries) then u.country else '' end as country, sum(u.plays) as plays
        from audit.unpublished_play as u
        where u.artist_key = of_artist_key and u.week_start < before_week
        group by 1
    ) as b
    left join mart.artist_country as a on a.artist_key = of_artist_key and a.country = b.country
    on conflict (artist_key, country) do update
    set plays = c.plays + excluded.plays, listeners = excluded.listeners;

    insert into audit.published_artist_track as t (artist_key, recording_key, plays)
    select of_artist_key, case when u.recording_key::text = any (recordings) then u.recording_key else 0 end, sum(u.plays)
    from audit.unpublished_play as u
    where u.artist_key = of_artist_key and u.week_start < before_week
    group by 2
    on conflict (artist_key, recording_key) do update
    set plays = t.plays + excluded.plays;

    update audit.published_artist as p set batches = p.batches + 1 where p.artist_key = of_artist_key;

    with published as (
        delete from audit.unpublished_play as u
        where u.artist_key = of_artist_key and u.week_start < before_week
        returning u.*
    )

    insert into audit.published_play (
        artist_key, batch, listener_key, week_start, recording_key, country, plays, is_by_week, is_by_country,
        is_by_recording
    )
    select
        u.artist_key,
        p.batches,
        u.listener_key,
        u.week_start,
        u.recording_key,
        u.country,
        u.plays,
        u.week_start::text = any (weeks),
        u.country = any (countries),
        u.recording_key::text = any (recordings)
    from published as u
    inner join audit.published_artist as p on p.artist_key = u.artist_key;
end
$$;

comment on function audit.publish_batch is 'Publishes the added and removed plays of an artist in weeks before a date, unless differences would reveal single listeners.';
