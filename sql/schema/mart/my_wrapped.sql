create view mart.my_wrapped with (security_barrier) as
select m.*
from mart.wrapped as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_wrapped is 'Your own year in figures, and all time as year 0.';
comment on column mart.my_wrapped.user_id is 'The user.';
comment on column mart.my_wrapped.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.my_wrapped.minutes_played is 'How long plays were heard, in whole minutes.';
comment on column mart.my_wrapped.plays is 'Number of plays.';
comment on column mart.my_wrapped.tracks is 'Number of recordings played.';
comment on column mart.my_wrapped.artists is 'Number of artists played.';
comment on column mart.my_wrapped.first_play_at is 'When the first play began, UTC.';
comment on column mart.my_wrapped.longest_streak_days is 'Most days in a row with a play, within the year.';
comment on column mart.my_wrapped.longest_streak_from is 'First day of that streak; the earliest of equals.';
comment on column mart.my_wrapped.longest_session_ms is 'Length of the longest session that began in the year, ms.';
comment on column mart.my_wrapped.longest_session_at is 'When it began, UTC.';
comment on column mart.my_wrapped.favourite_hour is 'The hour with most plays, on the user''s clock.';
comment on column mart.my_wrapped.new_artist_share is 'Fraction of the artists that the user had not played in an earlier year; NULL for all time.';
comment on column mart.my_wrapped.top_audio_features_type is 'The audio cluster with most plays.';
comment on column mart.my_wrapped.top_audio_cluster_name is 'Its name.';
comment on column mart.my_wrapped.first_play_on is 'The day of the first play, on the user''s calendar.';
comment on column mart.my_wrapped.longest_session_on is 'The day on which the longest session began, on the user''s calendar.';
