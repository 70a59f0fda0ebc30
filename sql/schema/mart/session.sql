create table mart.session (
    started_at timestamptz not null,
    ended_at timestamptz not null,
    ms_played bigint not null,
    listener_key integer not null,
    local_date date not null,
    listening_context_key integer not null,
    duration_ms integer not null,
    events integer not null,
    plays integer not null,
    year smallint not null,
    constraint session_pkey primary key (listener_key, started_at)
);

comment on table mart.session is 'A session, by the number of its user; mart.listening_session names user and listening_context.';
comment on column mart.session.started_at is 'When its first event happened, UTC.';
comment on column mart.session.ended_at is 'When its last event was over, UTC.';
comment on column mart.session.ms_played is 'How long its plays were heard, ms.';
comment on column mart.session.listener_key is 'The user, as mart.listener has it.';
comment on column mart.session.local_date is 'The user''s own day when it began.';
comment on column mart.session.listening_context_key is 'Location, device and plan at its start.';
comment on column mart.session.duration_ms is 'From start to end, ms.';
comment on column mart.session.events is 'Number of plays, pauses and skips, short and excluded ones too.';
comment on column mart.session.plays is 'Number of events that count as plays.';
comment on column mart.session.year is 'Year of local_date.';
