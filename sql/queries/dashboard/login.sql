-- The current login.
select kind, user_id, artist_id, coalesce(username, artist_name) as person
from mart.my_login;
