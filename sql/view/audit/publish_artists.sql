-- What an artist may be shown is decided here, once for each play, while the marts are built: whoever reads an artist's views
-- reads published numbers only, so neither cost nor plan of a query depends on what is hidden.
--
-- An artist's plays are published in batches. A batch is divided by week, by country and by recording, and each part of it is
-- published under its name or, with all other parts that are not, without a name. Every such number is of a publishable group.
-- Batches have no play in common and are never revised, so every difference of numbers shown on two days is a sum of
-- publishable groups, too.

-- The one place that says which groups are published. Five people at least; and p %-rule (Hundepool et al., Statistical
-- Disclosure Control, 2012, chapter 4): without its two largest contributors a group has p percent of the largest one's
-- contribution at least, so that the second largest cannot know the largest to within p percent. Here p is 20.
create or replace function audit.is_publishable(contributions bigint []) returns boolean
language sql
immutable
set search_path = pg_catalog
as $$
    select count(*) >= 5 and coalesce(sum(c.size) filter (where c.place > 2), 0) * 100 >= 20 * max(c.size)
    from (
        select abs(u.plays) as size, row_number() over (order by abs(u.plays) desc) as place
        from unnest(contributions) as u (plays)
        where u.plays <> 0
    ) as c
$$;

comment on function audit.is_publishable is 'Whether a group is shown to an artist, by the number of plays of each of its listeners: five listeners or more, of whom no two have nearly all plays.';

create or replace function audit.part_of(play audit.unpublished_play, divided_by text) returns text
language sql
immutable
as $$
    select case divided_by
        when 'week' then play.week_start::text
        when 'country' then play.country
        when 'recording' then nullif(play.recording_key, 0)::text
    end
$$;

comment on function audit.part_of is 'The part of a batch that plays belong to; NULL where it has no name.';

-- Where plays are taken back, a batch may cancel those of an earlier one, and a sum of publishable groups may be of a few. So
-- whatever is shown with such a batch is looked at together with the last batch, the last two, and so on to the first.
create or replace function audit.unpublishable_parts(
    of_artist_key integer, before_week date, divided_by text, parts text []
) returns setof text
language sql
stable
set search_path = pg_catalog
as $$
    with line as (
        select
            u.listener_key,
            u.plays,
            2147483647 as batch,
            case when audit.part_of(u, divided_by) = any (parts) then audit.part_of(u, divided_by) else '' end as part
        from audit.unpublished_play as u
        where u.artist_key = of_artist_key and u.week_start < before_week
        union all
        select
            p.listener_key,
            p.plays,
            p.batch,
            case
                when divided_by = 'week' and p.is_by_week then p.week_start::text
                when divided_by = 'country' and p.is_by_country then p.country
                when divided_by = 'recording' and p.is_by_recording then p.recording_key::text
                else ''
            end
        from audit.published_play as p
        where p.artist_key = of_artist_key
    ),

    listener as (
        select s.batch, l.part, l.listener_key, sum(l.plays) as plays
        from (select distinct batch from line) as s
        inner join line as l on l.batch >= s.batch
        where l.part in (select n.part from line as n where n.batch = 2147483647)
        group by s.batch, l.part, l.listener_key
        having sum(l.plays) <> 0
    )

    select distinct g.part
    from (select part, array_agg(plays) as contributions from listener group by batch, part) as g
    where not audit.is_publishable(g.contributions)
$$;

comment on function audit.unpublishable_parts is 'Weeks, countries or recordings whose differences would be of a few if these parts of a batch were published; an empty text is for what has no name.';

-- A part of a batch that is not published is published without a name, as one of a group that must be publishable itself: the
-- smallest named parts go into it until it is, twice as many each time.
create or replace function audit.publishable_parts(of_artist_key integer, before_week date, divided_by text) returns text []
language plpgsql
stable
set search_path = pg_catalog
as $$
declare
    takes_back boolean := exists (
        select from audit.unpublished_play as u
        where u.artist_key = of_artist_key and u.week_start < before_week and u.plays < 0
    );
    parts text [];
    failing text [];
    nameless bigint [];
    held_back integer := 1;
begin
    select coalesce(array_agg(p.part order by p.listeners desc, p.plays desc, p.part), '{}')
    into parts
    from (
        select l.part, count(*) as listeners, abs(sum(l.plays)) as plays
        from (
            select audit.part_of(u, divided_by) as part, u.listener_key, sum(u.plays) as plays
            from audit.unpublished_play as u
            where u.artist_key = of_artist_key and u.week_start < before_week
            group by 1, 2
            having sum(u.plays) <> 0
        ) as l
        where l.part is not null
        group by l.part
        having audit.is_publishable(array_agg(l.plays))
    ) as p;

    loop
        select array_agg(l.plays)
        into nameless
        from (
            select sum(u.plays) as plays
            from audit.unpublished_play as u
            where u.artist_key = of_artist_key
                and u.week_start < before_week
                and coalesce(audit.part_of(u, divided_by) <> all (parts), true)
            group by u.listener_key
            having sum(u.plays) <> 0
        ) as l;
        failing := '{}';
        if takes_back then
            failing := array(select audit.unpublishable_parts(of_artist_key, before_week, divided_by, parts));
        end if;
        if nameless is not null and not audit.is_publishable(nameless) then
            failing := array_append(failing, '');
        end if;
        exit when failing = '{}';
        if parts = '{}' then
            return null;
        end if;
        parts := array(
            select p.part
            from unnest(parts) with ordinality as p (part, place)
            where p.part <> all (failing)
            order by p.place
        );
        if '' = any (failing) then
            parts := parts[1:cardinality(parts) - held_back];
            held_back := held_back * 2;
        end if;
    end loop;
    return parts;
end
$$;

comment on function audit.publishable_parts is 'The weeks, countries or recordings of a batch that are published under their names; NULL where the batch must wait. Without a word that divides it, the batch has no parts.';

create or replace function audit.publish_batch(of_artist_key integer, before_week date) returns void
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

comment on function audit.publish_batch is 'Publishes what has come and gone of an artist''s plays in weeks before a date, unless differences would tell of a few.';

-- The first batch is whatever there is, as soon as it is publishable. Each further one has complete weeks, four at least:
-- smaller batches would leave more groups without a name.
create or replace function audit.publish_due_batches() returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
    due record;
begin
    for due in
        with pending as (
            select
                p.artist_key,
                p.batches,
                case when p.batches > 0 then max(u.week_start) else 'infinity' end as before_week
            from audit.published_artist as p
            inner join audit.unpublished_play as u on u.artist_key = p.artist_key
            group by p.artist_key
        )

        select n.artist_key, n.before_week
        from pending as n
        inner join audit.unpublished_play as u on u.artist_key = n.artist_key and u.week_start < n.before_week
        group by n.artist_key, n.before_week, n.batches
        having n.batches = 0 or count(distinct u.week_start) >= 4
    loop
        perform audit.publish_batch(due.artist_key, due.before_week);
    end loop;
end
$$;

comment on function audit.publish_due_batches is 'Publishes the batches that are due.';

-- Run at the end of a build, and where an artist's login is made; only for who holds the lock of the warehouse.
create or replace function audit.publish_artists() returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
    new_keys integer [];
begin
    -- An artist who was inferred keeps the key and gets another id.
    update audit.published_artist as p
    set artist_id = a.artist_id
    from warehouse.dim_artist as a
    where a.artist_key = p.artist_key and a.artist_id <> p.artist_id;

    with begun as (
        insert into audit.published_artist (artist_key, artist_id)
        select a.artist_key, a.artist_id
        from warehouse.dim_artist as a
        where a.artist_key > 0
            and a.artist_id in (select l.artist_id from audit.login as l where l.kind = 'artist')
            and not exists (select from audit.published_artist as p where p.artist_key = a.artist_key)
        returning artist_key
    )

    select coalesce(array_agg(b.artist_key), '{}') into new_keys from begun as b;

    if new_keys <> '{}' then
        -- These rows are there from the beginning: to read them costs the same, whether there is an audience or not.
        insert into audit.published_artist_week (artist_key, week_start, plays, listeners)
        select k, '-infinity', 0, 0 from unnest(new_keys) as k;
        insert into audit.published_artist_country (artist_key, country, plays, listeners)
        select k, '', 0, 0 from unnest(new_keys) as k;
        insert into audit.published_artist_track (artist_key, recording_key, plays)
        select k, 0, 0 from unnest(new_keys) as k;

        insert into audit.unpublished_play (artist_key, listener_key, week_start, recording_key, country, plays)
        select
            p.artist_key,
            p.listener_key,
            date_trunc('week', p.local_date::timestamp)::date,
            greatest(t.recording_key, 0),
            k.country,
            count(*)
        from mart.counted_play as p
        inner join mart.counted_track as t on t.track_key = p.track_key
        inner join mart.circumstance as k on k.circumstance_key = p.circumstance_key
        where p.artist_key = any (new_keys) and not p.is_excluded
        group by 1, 2, 3, 4, 5;
    end if;

    -- The key of a listener who was forgotten may become another listener's.
    insert into audit.unpublished_play as f (artist_key, listener_key, week_start, recording_key, country, plays)
    select u.artist_key, -u.listener_key, u.week_start, u.recording_key, u.country, u.plays
    from audit.unpublished_play as u
    where u.listener_key > 0 and not exists (select from warehouse.dim_user as d where d.user_key = u.listener_key)
    on conflict (artist_key, listener_key, week_start, recording_key, country) do update
    set plays = f.plays + excluded.plays;
    delete from audit.unpublished_play as u
    where u.plays = 0
        or (
            u.listener_key > 0
            and not exists (select from warehouse.dim_user as d where d.user_key = u.listener_key)
        );
    update audit.published_play as p
    set listener_key = -p.listener_key
    where p.listener_key > 0 and not exists (select from warehouse.dim_user as d where d.user_key = p.listener_key);

    perform audit.publish_due_batches();

    update audit.published_artist_track as t
    set recording_id = d.track_id, track_name = d.name
    from warehouse.dim_track as d
    where d.track_key = t.recording_key
        and t.recording_key > 0
        and (t.recording_id, t.track_name) is distinct from (d.track_id, d.name);
end
$$;

comment on function audit.publish_artists is 'Takes up artists that have got a login, and publishes the batches that are due.';

-- Where a build holds the lock, which is that of etl.warehouse.exclusive, the artist is taken up by it or by the next one.
create or replace function audit.publish_artist_of_login() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if pg_try_advisory_xact_lock(20261121) then
        perform audit.publish_artists();
    end if;
    return null;
end
$$;

comment on function audit.publish_artist_of_login is 'Lets an artist who gets a login see the audience without waiting for the next build.';

create or replace trigger publish_artist after insert or update of artist_id on audit.login
for each row when (new.artist_id is not null) execute function audit.publish_artist_of_login();
