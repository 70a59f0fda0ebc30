create table mart.listener_day (
    listener_key integer not null,
    local_date date not null,
    listening_context_key integer not null,
    plays integer not null,
    skips integer not null,
    ms_played bigint not null,
    constraint listener_day_pkey primary key (listener_key, local_date, listening_context_key)
);

create index listener_day_local_date_idx on mart.listener_day (local_date);

comment on table mart.listener_day is 'What a user did at the player on a day, by listening_context.';
comment on column mart.listener_day.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_day.local_date is 'The user''s own day.';
comment on column mart.listener_day.listening_context_key is 'Location, device and plan.';
comment on column mart.listener_day.plays is 'Number of plays.';
comment on column mart.listener_day.skips is 'Number of skips.';
comment on column mart.listener_day.ms_played is 'How long the plays were heard, ms.';
