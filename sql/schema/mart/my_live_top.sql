create view mart.my_live_top with (security_barrier) as
select t.*
from live.top_by_user as t
where t.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_live_top is 'The tracks, artists and genres that you played in an hour or a day (UTC), so far: provisional numbers of the last days.';
comment on column mart.my_live_top.user_id is 'The user.';
comment on column mart.my_live_top.period is 'hour or day.';
comment on column mart.my_live_top.period_start is 'Its start, UTC.';
comment on column mart.my_live_top.kind is 'recording, artist or genre; a recording is a track id.';
comment on column mart.my_live_top.rank is '1 for the most played, late plays too; of equals the smallest id comes first.';
comment on column mart.my_live_top.item_id is 'The id of the track or artist, or the genre.';
comment on column mart.my_live_top.name is 'Its name.';
comment on column mart.my_live_top.artist_name is 'Of a track its artist.';
comment on column mart.my_live_top.plays is 'Number of plays in time.';
comment on column mart.my_live_top.late_plays is 'Number of plays that came after their hour was closed.';
comment on column mart.my_live_top.ms_played is 'How long all of them were heard, ms.';
