-- How a user's plays and playlists sound, in words.
select scope, description
from mart.taste_profile
where user_id = :user_id
order by scope;
