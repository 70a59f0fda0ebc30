create table live.active_listener (
    minute_start timestamptz not null,
    partition smallint not null,
    continent text collate "C" not null,
    user_id text collate "C" not null,
    constraint active_listener_pkey primary key (partition, minute_start, continent, user_id)
);

comment on table live.active_listener is 'The listeners that live.active_minute has counted in minutes that are not closed yet.';
comment on column live.active_listener.minute_start is 'The minute (UTC).';
comment on column live.active_listener.partition is 'The partition whose watermark closes the minute; then the row is deleted.';
comment on column live.active_listener.continent is 'The continent.';
comment on column live.active_listener.user_id is 'The user.';
