-- A user's listening personality; without letters, what_is_missing gives the reason.
select letters, name, description, sureness, plays, dated_plays, what_is_missing
from mart.user_personality
where user_id = :user_id;
