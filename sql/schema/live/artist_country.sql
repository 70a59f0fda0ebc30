create view live.artist_country as
select
    a.artist_id,
    p.period,
    date_trunc(p.period, a.hour_start, 'UTC') as period_start,
    a.country,
    sum(a.plays)::bigint as plays,
    sum(a.late_plays)::bigint as late_plays,
    sum(a.ms_played + a.late_ms_played)::bigint as ms_played
from (values ('hour'), ('day')) as p (period)
cross join live.artist_hour as a
group by a.artist_id, p.period, date_trunc(p.period, a.hour_start, 'UTC'), a.country;

comment on view live.artist_country is 'Where an artist is played in an hour or a day (UTC), so far. Filter by artist_id and period.';
comment on column live.artist_country.artist_id is 'The artist; the name if the events have no id.';
comment on column live.artist_country.period is 'hour or day.';
comment on column live.artist_country.period_start is 'Its start, UTC.';
comment on column live.artist_country.country is 'ISO 3166-1 alpha-2; "unknown" if the events name no country.';
comment on column live.artist_country.plays is 'Number of plays in time.';
comment on column live.artist_country.late_plays is 'Number of plays that came after their hour was closed.';
comment on column live.artist_country.ms_played is 'How long all of them were heard, ms.';
