create unlogged table staging.event_context (
    platform text,
    reason_start text,
    reason_end text,
    is_shuffle boolean,
    is_offline boolean,
    is_incognito boolean,
    subscription_plan text
);

comment on table staging.event_context is 'The listening contexts of staged plays: each combination, as in warehouse.dim_play_context.';
comment on column staging.event_context.platform is 'Operating system or app.';
comment on column staging.event_context.reason_start is 'Why the play began.';
comment on column staging.event_context.reason_end is 'Why it ended.';
comment on column staging.event_context.is_shuffle is 'Whether shuffle was on.';
comment on column staging.event_context.is_offline is 'Whether the device was offline.';
comment on column staging.event_context.is_incognito is 'Whether the session was private.';
comment on column staging.event_context.subscription_plan is 'The plan at that time.';
