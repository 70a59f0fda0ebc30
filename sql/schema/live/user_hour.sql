-- Rows are only appended, one for each batch: an index lookup for each row would cost more than its write.
create table live.user_hour (
    hour_start timestamptz not null,
    batch_id bigint not null,
    ms_played bigint not null,
    late_ms_played bigint not null,
    events integer not null,
    late_events integer not null,
    plays integer not null,
    late_plays integer not null,
    partition smallint not null,
    activity_type text not null,
    country text collate "C" not null,
    user_id text collate "C" not null,
    track_id text collate "C" not null
);

create index user_hour_user_id_idx on live.user_hour (user_id, hour_start);
create index user_hour_hour_start_idx on live.user_hour using brin (hour_start) with (pages_per_range = 16);

comment on table live.user_hour is 'What a user did with a track in an hour. Sum the counts: a key has a row for each batch with events of it.';
comment on column live.user_hour.hour_start is 'The hour (UTC) of event_time.';
comment on column live.user_hour.batch_id is 'The batch, as in live.batch.';
comment on column live.user_hour.ms_played is 'How long the events were heard, ms; of a PLAY alone.';
comment on column live.user_hour.late_ms_played is 'The same of the late events.';
comment on column live.user_hour.events is 'Number of events in time: with late_events the number that the star has.';
comment on column live.user_hour.late_events is 'Number of events that came after the hour was closed.';
comment on column live.user_hour.plays is 'Those of events that count as plays: a PLAY of PLAY_MIN_MS or longer.';
comment on column live.user_hour.late_plays is 'Those of late_events that count as plays.';
comment on column live.user_hour.partition is 'The partition that the events came from.';
comment on column live.user_hour.activity_type is 'PLAY, PAUSE, SKIP, LIKE or FOLLOW.';
comment on column live.user_hour.country is 'ISO 3166-1 alpha-2; "unknown" if the event names no country.';
comment on column live.user_hour.user_id is 'The user.';
comment on column live.user_hour.track_id is 'The track, as in live.track; empty if the event names none.';
