-- Listening of a user by day, from the sessions that began on it; year 0 is all time.
select local_date, sum(ms_played)::double precision / 60000 as minutes, sum(plays)::integer as plays
from mart.listening_session
where user_id = :user_id and (:year = 0 or extract(year from local_date) = :year)
group by local_date
order by local_date;
