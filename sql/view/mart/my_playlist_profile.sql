create view mart.my_playlist_profile with (security_barrier) as
select m.*
from mart.playlist_profile as m
where m.owner_id = (select s.owner_id from audit.signed_in as s);

create view mart.my_playlist_profile_attribute with (security_barrier) as
select m.*
from mart.playlist_profile_attribute as m
where m.owner_id = (select s.owner_id from audit.signed_in as s);

create view mart.my_playlist_profile_cluster with (security_barrier) as
select m.*
from mart.playlist_profile_cluster as m
where m.owner_id = (select s.owner_id from audit.signed_in as s);

comment on view mart.my_playlist_profile is 'How your own playlists sound, in a line.';
comment on view mart.my_playlist_profile_attribute is 'An audio feature of your own playlists: mean, spread and distribution.';
comment on view mart.my_playlist_profile_cluster is 'The audio clusters of your own playlists.';
