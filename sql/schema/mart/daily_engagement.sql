create table mart.daily_engagement (
    local_date date not null,
    subscription_plan text not null,
    continent text not null,
    device_type text not null,
    users integer not null,
    sessions integer not null,
    plays integer not null,
    skips integer not null,
    ms_played bigint not null,
    constraint daily_engagement_pkey primary key (local_date, subscription_plan, continent, device_type)
);

comment on table mart.daily_engagement is 'Activities of users on a day, by plan, continent and device; "unknown" if not known.';
comment on column mart.daily_engagement.local_date is 'The users'' own day.';
comment on column mart.daily_engagement.subscription_plan is 'The plan.';
comment on column mart.daily_engagement.continent is 'The continent.';
comment on column mart.daily_engagement.device_type is 'The kind of device.';
comment on column mart.daily_engagement.users is 'Users with a play in this group; a user of two devices counts for both: mart.active_users counts each once.';
comment on column mart.daily_engagement.sessions is 'Sessions that began there.';
comment on column mart.daily_engagement.plays is 'Number of plays.';
comment on column mart.daily_engagement.skips is 'Number of skips.';
comment on column mart.daily_engagement.ms_played is 'How long the plays were heard, ms.';
