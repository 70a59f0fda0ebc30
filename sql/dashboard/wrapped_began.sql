-- The day, on the user's calendar, of a moment at which the user began to play something.
select local_time::date as local_date
from mart.event_wide
where user_id = :user_id and event_time = :at and activity_type = 'PLAY'
limit 1;
