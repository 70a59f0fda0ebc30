-- Personalities from plays alone; docs/personality.md says what the figures mean.
create temporary table catalogue_now on commit drop as
with
counted as (
    select 'popularity' as kind, popularity::integer as value, count(*) as size
    from warehouse.dim_artist
    where artist_key > 0 and popularity is not null
    group by popularity
    union all
    select
        'release_month',
        (extract(year from release_date) * 12 + extract(month from release_date) - 1)::integer,
        count(*)
    from warehouse.dim_track
    where track_key > 0 and recording_key = track_key and release_date is not null
    group by 2
),

-- All values that may come, so that one which is new to the catalogue has its place.
possible as (
    select 'popularity' as kind, value from generate_series(0, 100) as v (value)
    union all
    select 'release_month', value from generate_series(1800 * 12, 2200 * 12) as v (value)
)

select
    p.kind,
    p.value,
    (sum(c.size) over upwards - coalesce(c.size, 0))::double precision / sum(c.size) over whole as share_below,
    sum(c.size) over upwards::double precision / sum(c.size) over whole as share_until
from possible as p
left join counted as c on c.kind = p.kind and c.value = p.value
where p.kind in (select kind from counted)
window upwards as (partition by p.kind order by p.value), whole as (partition by p.kind);

update catalogue_now set share_below = 0, share_until = 0 where share_until is null;

create temporary table moved_kind on commit drop as
select distinct n.kind
from catalogue_now as n
left join mart.catalogue_place as p on p.kind = n.kind and p.value = n.value
where p.kind is null or abs(n.share_below - p.share_below) > 0.02 or abs(n.share_until - p.share_until) > 0.02;

delete from mart.catalogue_place where kind in (select kind from moved_kind);

insert into mart.catalogue_place (kind, value, share_below, share_until)
select kind, value, share_below, share_until
from catalogue_now
where kind in (select kind from moved_kind);

create temporary table moved_artist on commit drop as
with now as (
    select a.artist_key, (p.share_below + p.share_until) / 2 as place
    from warehouse.dim_artist as a
    inner join mart.catalogue_place as p on p.kind = 'popularity' and p.value = a.popularity
    where a.artist_key > 0
)

select coalesce(now.artist_key, held.artist_key) as artist_key, now.place
from now
full join mart.artist_place as held on held.artist_key = now.artist_key
where now.artist_key is null or held.artist_key is null or abs(now.place - held.place) > 0.05;

analyze moved_artist;

delete from mart.artist_place where artist_key in (select artist_key from moved_artist);
insert into mart.artist_place (artist_key, place) select artist_key, place from moved_artist where place is not null;

create temporary table personality_user on commit drop as
select listener_key from touched_user
union
select listener_key from mart.listener where exists (select from moved_kind)
union
select c.listener_key
from mart.listener_count as c
where c.kind = 'artist' and c.year = 0 and c.item_key in (select artist_key from moved_artist);

create unique index on personality_user (listener_key);
analyze personality_user;
analyze mart.catalogue_place;
analyze mart.artist_place;

-- The plays that tell of a user: those from the first one on that told last time, of others all.
create temporary table told_play on commit drop as
select p.listener_key, p.track_key, p.recording_key, p.artist_key, p.event_time, p.event_id
from (
    select u.listener_key, coalesce(t.first_told_at, '-infinity') as first_told_at
    from personality_user as u
    left join mart.listener_personality as t on t.listener_key = u.listener_key and t.plays = 2000
) as u
inner join mart.play as p on p.listener_key = u.listener_key and p.event_time >= u.first_told_at
-- What a playlist plays tells of who made it.
where p.playlist_key = 0 and p.recording_key > 0 and p.artist_key > 0;

analyze told_play;

-- Where some of these are gone, earlier ones are among the latest again.
create temporary table shrunk_user on commit drop as
select t.listener_key
from mart.listener_personality as t
inner join personality_user as u on u.listener_key = t.listener_key
left join (select listener_key, count(*) as plays from told_play group by listener_key) as n on n.listener_key = t.listener_key
where t.plays = 2000 and coalesce(n.plays, 0) < 2000;

analyze shrunk_user;

delete from told_play where listener_key in (select listener_key from shrunk_user);

insert into told_play (listener_key, track_key, recording_key, artist_key, event_time, event_id)
select p.listener_key, p.track_key, p.recording_key, p.artist_key, p.event_time, p.event_id
from shrunk_user as u
inner join mart.play as p on p.listener_key = u.listener_key
where p.playlist_key = 0 and p.recording_key > 0 and p.artist_key > 0;

delete from mart.listener_personality where listener_key in (select listener_key from personality_user);

insert into mart.listener_personality (
    listener_key, first_told_at, plays, dated_plays, choices, exploration, exploration_error, newness, newness_error,
    loyalty, loyalty_error, commonality, commonality_error
)
with
latest as (
    select listener_key, track_key, recording_key, artist_key, event_time, -place as play_number
    from (
        select *, row_number() over (partition by listener_key order by event_time desc, event_id desc) as place
        from told_play
    ) as numbered
    where place <= 2000
),

-- Places in whole millionths: their sums are the same in every order.
placed as (
    select
        l.listener_key,
        l.recording_key,
        l.artist_key,
        l.play_number,
        l.event_time,
        round(a.place * 1000000)::bigint as popularity_millionths,
        case
            -- Out before its date, or played by a wrong clock: as new as can be.
            when r.share_until > o.share_until then 1000000
            else round((r.share_below + r.share_until) / 2 / nullif(o.share_until, 0) * 1000000)::bigint
        end as release_millionths
    from latest as l
    inner join warehouse.dim_track as t on t.track_key = l.track_key
    left join mart.artist_place as a on a.artist_key = l.artist_key
    left join mart.catalogue_place as r
        on r.kind = 'release_month'
        and r.value = extract(year from t.release_date) * 12 + extract(month from t.release_date) - 1
    left join mart.catalogue_place as o
        on o.kind = 'release_month'
        and o.value = extract(year from l.event_time at time zone 'UTC') * 12
        + extract(month from l.event_time at time zone 'UTC') - 1
),

repeated as (
    select
        *,
        count(*) over (
            partition by listener_key, recording_key
            order by play_number
            range between 30 preceding and 30 following
        ) >= 3 as is_on_repeat,
        coalesce(
            play_number - lag(play_number) over (partition by listener_key, recording_key order by play_number) > 30,
            true
        ) as is_choice
    from placed
),

chosen as (
    select
        listener_key,
        recording_key,
        artist_key,
        popularity_millionths,
        release_millionths,
        row_number() over (partition by listener_key order by play_number) as choice_number
    from repeated
    where is_choice
),

compared as (
    select
        *,
        count(*) over (
            partition by listener_key, artist_key
            order by choice_number
            range between 30 preceding and 30 following
        ) = count(*) over (
            partition by listener_key, artist_key, recording_key
            order by choice_number
            range between 30 preceding and 30 following
        ) as is_elsewhere_unheard
    from chosen
),

of_plays as (
    select
        listener_key,
        min(event_time) as first_told_at,
        count(*) as plays,
        count(release_millionths) as dated_plays,
        count(*) filter (where is_on_repeat) as on_repeat
    from repeated
    group by listener_key
),

of_choices as (
    select
        listener_key,
        count(*) as choices,
        count(*) filter (where is_elsewhere_unheard) as unheard,
        count(release_millionths) as dated,
        sum(release_millionths) / 1e6 as release_sum,
        sum(release_millionths * release_millionths) / 1e12 as release_squares,
        count(popularity_millionths) as rated,
        sum(popularity_millionths) / 1e6 as popularity_sum,
        sum(popularity_millionths * popularity_millionths) / 1e12 as popularity_squares
    from compared
    group by listener_key
),

told as (
    select
        p.listener_key,
        p.first_told_at,
        p.plays,
        p.dated_plays,
        p.on_repeat,
        c.*,
        -- A share's spread with two more on either side, so that one of 0 or 1 has an error, too.
        (p.on_repeat + 2.0) * (p.plays - p.on_repeat + 2.0) / (p.plays + 4.0) ^ 2 as loyalty_variance,
        (c.unheard + 2.0) * (c.choices - c.unheard + 2.0) / (c.choices + 4.0) ^ 2 as exploration_variance
    from of_plays as p
    inner join lateral (
        select choices, unheard, dated, release_sum, release_squares, rated, popularity_sum, popularity_squares
        from of_choices as o
        where o.listener_key = p.listener_key
    ) as c on true
)

-- Plays come in runs: each tells half as much as if it stood alone; and nobody is known better than to 0.03.
select
    listener_key,
    first_told_at,
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
