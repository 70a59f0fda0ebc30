create view mart.my_taste_profile with (security_barrier) as
select m.*
from mart.taste_profile as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_taste_profile is 'Your own taste: the audio attributes of what you play and of your playlists.';
