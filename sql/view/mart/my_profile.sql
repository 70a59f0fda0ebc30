-- A user's playlists are those that the user owns, and those that the user asked for.
create view mart.my_playlist_wish with (security_barrier) as
select w.user_id, w.playlist_id, w.wished_at
from audit.playlist_wish as w
where w.user_id = (select s.user_id from audit.signed_in as s)
with local check option;

create view mart.my_playlist_profile with (security_barrier) as
select m.*
from mart.playlist_profile as m
where m.owner_id = (select s.owner_id from audit.signed_in as s)
    or m.playlist_id in (select w.playlist_id from mart.my_playlist_wish as w);

create view mart.my_playlist_profile_attribute with (security_barrier) as
select m.*
from mart.playlist_profile_attribute as m
where m.owner_id = (select s.owner_id from audit.signed_in as s)
    or m.playlist_id in (select w.playlist_id from mart.my_playlist_wish as w);

create view mart.my_playlist_profile_cluster with (security_barrier) as
select m.*
from mart.playlist_profile_cluster as m
where m.owner_id = (select s.owner_id from audit.signed_in as s)
    or m.playlist_id in (select w.playlist_id from mart.my_playlist_wish as w);

create view mart.my_taste_profile_attribute with (security_barrier) as
select m.*
from mart.taste_profile_attribute as m
where m.user_id = (select s.user_id from audit.signed_in as s);

create view mart.my_taste_profile_cluster with (security_barrier) as
select m.*
from mart.taste_profile_cluster as m
where m.user_id = (select s.user_id from audit.signed_in as s);

create view mart.my_attribute with (security_barrier) as
select m.*
from mart.attribute as m;

comment on view mart.my_playlist_wish is 'Playlists that you asked for: the next refresh of your account reads them. Add a row to ask for one, delete it to take that back.';
comment on column mart.my_playlist_wish.user_id is 'You.';
comment on column mart.my_playlist_wish.playlist_id is 'Spotify''s id of the playlist, the last part of its link.';
comment on column mart.my_playlist_wish.wished_at is 'When you asked.';
comment on view mart.my_playlist_profile is 'How your playlists sound, and those that you asked for.';
comment on view mart.my_playlist_profile_attribute is 'Their audio features: mean, spread and distribution.';
comment on view mart.my_playlist_profile_cluster is 'Their audio clusters.';
comment on view mart.my_taste_profile_attribute is 'The audio features of your plays and of all your playlists.';
comment on view mart.my_taste_profile_cluster is 'Their audio clusters.';
comment on view mart.my_attribute is 'The audio features that profiles describe.';
