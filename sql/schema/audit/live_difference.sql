create table audit.live_difference (
    checked_at timestamptz not null,
    hour_start timestamptz not null,
    live_events bigint not null,
    star_events bigint not null,
    user_id text collate "C" not null,
    track_id text collate "C" not null,
    activity_type text not null,
    generation text not null,
    constraint live_difference_pkey primary key (hour_start, user_id, track_id, activity_type)
);

comment on table audit.live_difference is 'Where the live tables differ from the star in closed hours, by the last check. The star is right.';
comment on column audit.live_difference.checked_at is 'When the difference was found first.';
comment on column audit.live_difference.hour_start is 'The hour (UTC).';
comment on column audit.live_difference.live_events is 'Number of events in schema live, late ones too; of rejected messages if the activity is REJECTED.';
comment on column audit.live_difference.star_events is 'Number of events in the star; of rejected messages of landed files if the activity is REJECTED.';
comment on column audit.live_difference.user_id is 'The user; empty if the activity is REJECTED.';
comment on column audit.live_difference.track_id is 'The track id; empty if the events name none by id.';
comment on column audit.live_difference.activity_type is 'PLAY, PAUSE, SKIP, LIKE or FOLLOW; REJECTED for the numbers of rejected messages of all hours.';
comment on column audit.live_difference.generation is 'The generation of the live tables, as in live.progress.';
