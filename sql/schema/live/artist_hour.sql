create table live.artist_hour (
    hour_start timestamptz not null,
    ms_played bigint not null,
    late_ms_played bigint not null,
    plays integer not null,
    late_plays integer not null,
    artist_id text collate "C" not null,
    country text collate "C" not null,
    constraint artist_hour_pkey primary key (artist_id, hour_start, country)
) with (fillfactor = 80);

comment on table live.artist_hour is 'The plays of an artist in a country in an hour.';
comment on column live.artist_hour.hour_start is 'The hour (UTC) in which the plays began.';
comment on column live.artist_hour.ms_played is 'How long they were heard, ms.';
comment on column live.artist_hour.late_ms_played is 'The same of the late plays.';
comment on column live.artist_hour.plays is 'Number of plays in time.';
comment on column live.artist_hour.late_plays is 'Number of plays that came after the hour was closed.';
comment on column live.artist_hour.artist_id is 'The artist; the name if the event has no id.';
comment on column live.artist_hour.country is 'ISO 3166-1 alpha-2; "unknown" if the event names no country.';
