create view live.artist_track as
select
    t.artist_id,
    p.period,
    date_trunc(p.period, c.hour_start, 'UTC') as period_start,
    t.track_id,
    t.track_name,
    sum(c.plays)::bigint as plays,
    sum(c.late_plays)::bigint as late_plays,
    sum(c.ms_played + c.late_ms_played)::bigint as ms_played
from (values ('hour'), ('day')) as p (period)
cross join live.continent_hour as c
inner join live.track as t on t.track_id = c.track_id
group by t.artist_id, p.period, date_trunc(p.period, c.hour_start, 'UTC'), t.track_id, t.track_name;

comment on view live.artist_track is 'The plays of an artist''s tracks in an hour or a day (UTC), so far. Filter by artist_id and period.';
comment on column live.artist_track.artist_id is 'The artist; the name if the events have no id.';
comment on column live.artist_track.period is 'hour or day.';
comment on column live.artist_track.period_start is 'Its start, UTC.';
comment on column live.artist_track.track_id is 'The track, as in live.track.';
comment on column live.artist_track.track_name is 'Its title.';
comment on column live.artist_track.plays is 'Number of plays in time.';
comment on column live.artist_track.late_plays is 'Number of plays that came after their hour was closed.';
comment on column live.artist_track.ms_played is 'How long all of them were heard, ms.';
