create table warehouse.dim_play_context (
    context_key integer not null,
    platform text,
    reason_start text,
    reason_end text,
    is_shuffle boolean,
    is_offline boolean,
    is_incognito boolean,
    subscription_plan text,
    constraint dim_play_context_pkey primary key (context_key),
    constraint dim_play_context_is_one unique nulls not distinct (
        platform, reason_start, reason_end, is_shuffle, is_offline, is_incognito, subscription_plan
    )
);

comment on table warehouse.dim_play_context is 'The listening contexts: each combination that occurred. NULL in a column: the source does not give it.';
comment on column warehouse.dim_play_context.context_key is 'Surrogate key; 0 is "not applicable", -1 "unknown".';
comment on column warehouse.dim_play_context.platform is 'Operating system or app.';
comment on column warehouse.dim_play_context.reason_start is 'Why the play began, in the words of Spotify''s export.';
comment on column warehouse.dim_play_context.reason_end is 'Why it ended, in the same words.';
comment on column warehouse.dim_play_context.is_shuffle is 'Whether shuffle was on.';
comment on column warehouse.dim_play_context.is_offline is 'Whether the device was offline.';
comment on column warehouse.dim_play_context.is_incognito is 'Whether the session was private.';
comment on column warehouse.dim_play_context.subscription_plan is 'The plan at that time, as the event gives it.';

insert into warehouse.dim_play_context (context_key, platform) values (0, 'Not applicable'), (-1, 'Unknown');
