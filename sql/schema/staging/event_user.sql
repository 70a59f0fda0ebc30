create unlogged table staging.event_user (
    user_id text collate "C",
    source text
);

comment on table staging.event_user is 'Users that staged events name.';
comment on column staging.event_user.user_id is 'The user.';
comment on column staging.event_user.source is 'A source that names the user.';
