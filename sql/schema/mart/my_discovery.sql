create view mart.my_discovery with (security_barrier) as
select m.*
from mart.discovery as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_discovery is 'Recordings near your taste that you have not played.';
comment on column mart.my_discovery.user_id is 'The user.';
comment on column mart.my_discovery.rank is '1 for the nearest; of equals the smallest key comes first.';
comment on column mart.my_discovery.recording_key is 'The recording: the user has played none of its ids.';
comment on column mart.my_discovery.track_id is 'The recording''s first id.';
comment on column mart.my_discovery.track is 'Its title.';
comment on column mart.my_discovery.artist is 'Its first artist.';
comment on column mart.my_discovery.distance is 'From the user''s taste in that cluster, in standard deviations of the audio features.';
comment on column mart.my_discovery.audio_features_type is 'The cluster of the user''s taste that it is near to.';
comment on column mart.my_discovery.audio_cluster_name is 'Its name.';
comment on column mart.my_discovery.reason is 'Why, in words.';
