create view mart.my_taste_profile with (security_barrier) as
select m.*
from mart.taste_profile as m
where m.user_id = (select s.user_id from audit.signed_in as s);

create view mart.my_taste_profile_attribute with (security_barrier) as
select m.*
from mart.taste_profile_attribute as m
where m.user_id = (select s.user_id from audit.signed_in as s);

create view mart.my_taste_profile_cluster with (security_barrier) as
select m.*
from mart.taste_profile_cluster as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_taste_profile is 'How your plays and your playlists sound, in a line.';
comment on view mart.my_taste_profile_attribute is 'An audio feature of your plays and your playlists: mean, spread and distribution.';
comment on view mart.my_taste_profile_cluster is 'The audio clusters of your plays and your playlists.';
