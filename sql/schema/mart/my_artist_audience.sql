-- An artist's own audience: the numbers that audit.publish_artists has published, rounded down to fives. Plays without
-- a published week are in one row, with the recordings beyond the fifty most played.
create view mart.my_artist_audience with (security_barrier) as
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

comment on view mart.my_artist_audience is 'Your own audience by week, as published in batches of four weeks or more. Plays that are not shown by week are in one row without a week. Numbers are rounded down to fives.';
comment on column mart.my_artist_audience.week_start is 'Monday of the week, on the listeners'' calendars; NULL for plays that are not shown by week.';
comment on column mart.my_artist_audience.plays is 'Number of plays.';
comment on column mart.my_artist_audience.listeners is 'Number of listeners.';
comment on column mart.my_artist_audience.new_listeners is 'Listeners who played you for the first time; NULL if these or the others are fewer than five.';
comment on column mart.my_artist_audience.returning_listeners is 'Listeners who had played you in an earlier week; NULL under the same condition.';
