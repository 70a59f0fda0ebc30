create view mart.my_wrapped_track with (security_barrier) as
select m.*
from mart.wrapped_track as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_wrapped_track is 'The hundred recordings that you played most in a year, and in all time as year 0.';
comment on column mart.my_wrapped_track.user_id is 'The user.';
comment on column mart.my_wrapped_track.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.my_wrapped_track.rank is '1 for the most played: of equals the smallest key comes first.';
comment on column mart.my_wrapped_track.recording_id is 'The track id that names the recording.';
comment on column mart.my_wrapped_track.track_name is 'Its name.';
comment on column mart.my_wrapped_track.artist_id is 'Its first artist.';
comment on column mart.my_wrapped_track.artist_name is 'That artist''s name.';
comment on column mart.my_wrapped_track.plays is 'Number of plays.';
comment on column mart.my_wrapped_track.ms_played is 'How long they were heard, ms.';
