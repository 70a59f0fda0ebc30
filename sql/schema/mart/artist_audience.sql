create view mart.artist_audience as
select
    a.artist_id,
    a.name as artist_name,
    w.week_start,
    w.plays,
    w.ms_played,
    w.listeners,
    w.new_listeners,
    w.listeners - w.new_listeners as returning_listeners
from mart.artist_week as w
inner join warehouse.dim_artist as a on a.artist_key = w.artist_key;

comment on view mart.artist_audience is 'An artist''s audience by week. The sum of new_listeners is the number of all who ever listened.';
comment on column mart.artist_audience.artist_id is 'The artist that the plays name.';
comment on column mart.artist_audience.artist_name is 'Its name.';
comment on column mart.artist_audience.week_start is 'Monday of the week, on the users'' calendars.';
comment on column mart.artist_audience.plays is 'Number of plays.';
comment on column mart.artist_audience.ms_played is 'How long they were heard, ms.';
comment on column mart.artist_audience.listeners is 'Number of users with a play.';
comment on column mart.artist_audience.new_listeners is 'Users who played the artist for the first time.';
comment on column mart.artist_audience.returning_listeners is 'Users who had played the artist in an earlier week.';
