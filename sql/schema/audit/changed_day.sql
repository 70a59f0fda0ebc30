create table audit.changed_day (
    listener_key integer not null,
    local_date date not null,
    constraint changed_day_pkey primary key (listener_key, local_date)
);

comment on table audit.changed_day is 'Days of users whose events have changed since the marts were built.';
comment on column audit.changed_day.listener_key is 'The user, as mart.listener has it.';
comment on column audit.changed_day.local_date is 'The user''s own day.';
