create table live.continent_hour (
    hour_start timestamptz not null,
    ms_played bigint not null,
    late_ms_played bigint not null,
    plays integer not null,
    late_plays integer not null,
    continent text collate "C" not null,
    track_id text collate "C" not null,
    constraint continent_hour_pkey primary key (hour_start, continent, track_id)
) with (fillfactor = 80);

comment on table live.continent_hour is 'The plays of a track on a continent in an hour.';
comment on column live.continent_hour.hour_start is 'The hour (UTC) in which the plays began.';
comment on column live.continent_hour.ms_played is 'How long they were heard, ms.';
comment on column live.continent_hour.late_ms_played is 'The same of the late plays.';
comment on column live.continent_hour.plays is 'Number of plays in time.';
comment on column live.continent_hour.late_plays is 'Number of plays that came after the hour was closed.';
comment on column live.continent_hour.continent is 'Continent of the country of the event; "unknown" if it names no country.';
comment on column live.continent_hour.track_id is 'The track, as in live.track.';
