create table live.active_minute (
    minute_start timestamptz not null,
    events bigint not null,
    late_events bigint not null,
    listeners integer not null,
    continent text collate "C" not null,
    constraint active_minute_pkey primary key (minute_start, continent)
) with (fillfactor = 80);

comment on table live.active_minute is 'Active listeners and events of a continent by minute.';
comment on column live.active_minute.minute_start is 'The minute (UTC) of event_time.';
comment on column live.active_minute.events is 'Number of events in time, of all activities.';
comment on column live.active_minute.late_events is 'Number of events that came after the minute was closed.';
comment on column live.active_minute.listeners is 'Number of users with an event in time.';
comment on column live.active_minute.continent is 'Continent of the country of the event; "unknown" if it names no country.';
