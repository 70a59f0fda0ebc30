-- What an artist sees of the own audience: the numbers that audit.publish_artists has published, rounded down to fives. What is
-- published without a name stands in one row, with the recordings beyond the fifty most played.
create or replace view mart.my_artist_audience with (security_barrier) as
with week as (
    select w.*, isfinite(w.week_start) and w.listeners > 0 and w.plays >= 5 as is_named
    from audit.published_artist as p
    inner join audit.published_artist_week as w on w.artist_key = p.artist_key
    where p.artist_id = (select s.artist_id from audit.signed_in as s)
)

select week_start, (plays / 5 * 5)::integer as plays, listeners, new_listeners, returning_listeners
from week
where is_named
union all
select null, (sum(plays)::bigint / 5 * 5)::integer, null, null, null
from week
where not is_named
having sum(plays) >= 5;

create or replace view mart.my_artist_country with (security_barrier) as
with country as (
    select c.*, c.country <> '' and c.listeners > 0 and c.plays >= 5 as is_named
    from audit.published_artist as p
    inner join audit.published_artist_country as c on c.artist_key = p.artist_key
    where p.artist_id = (select s.artist_id from audit.signed_in as s)
)

select country, (plays / 5 * 5)::integer as plays, listeners
from country
where is_named
union all
select null, (sum(plays)::bigint / 5 * 5)::integer, null
from country
where not is_named
having sum(plays) >= 5;

create or replace view mart.my_artist_track with (security_barrier) as
with track as (
    select
        t.*,
        t.recording_id is not null
        and t.plays >= 5
        and row_number() over (order by t.recording_id is null, t.plays desc, t.recording_key) <= 50 as is_named
    from audit.published_artist as p
    inner join audit.published_artist_track as t on t.artist_key = p.artist_key
    where p.artist_id = (select s.artist_id from audit.signed_in as s)
)

select recording_id, track_name, (plays / 5 * 5)::integer as plays
from track
where is_named
union all
select null, null, (sum(plays)::bigint / 5 * 5)::integer
from track
where not is_named
having sum(plays) >= 5;

comment on view mart.my_artist_audience is 'Your own audience by week, as published in batches of four weeks or more. What is not shown by week stands in one row without one. Numbers are rounded down to fives.';
comment on column mart.my_artist_audience.week_start is 'Monday of the week, on the listeners'' calendars; NULL for plays that are not shown by week.';
comment on column mart.my_artist_audience.plays is 'Number of plays.';
comment on column mart.my_artist_audience.listeners is 'Number of listeners.';
comment on column mart.my_artist_audience.new_listeners is 'Listeners who played you for the first time; NULL where these or the others are fewer than five.';
comment on column mart.my_artist_audience.returning_listeners is 'Listeners who had played you in an earlier week; NULL likewise.';
comment on view mart.my_artist_country is 'Where you are played, over all time, as published in batches of four weeks or more. What is not shown by country stands in one row without one. Numbers are rounded down to fives.';
comment on column mart.my_artist_country.country is 'ISO 3166-1 alpha-2, "unknown" where it is not known; NULL for plays that are not shown by country.';
comment on column mart.my_artist_country.plays is 'Number of plays.';
comment on column mart.my_artist_country.listeners is 'Number of listeners.';
comment on view mart.my_artist_track is 'Your fifty most played recordings, over all time, as published in batches of four weeks or more. What is not shown by recording stands in one row without one. Numbers are rounded down to fives.';
comment on column mart.my_artist_track.recording_id is 'The track id that names the recording; NULL for plays that are not shown by recording.';
comment on column mart.my_artist_track.track_name is 'Its name.';
comment on column mart.my_artist_track.plays is 'Number of plays.';
