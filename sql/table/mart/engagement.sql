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

create table mart.active_user_count (
    local_date date not null,
    daily_users integer not null,
    weekly_users integer not null,
    monthly_users integer not null,
    constraint active_user_count_pkey primary key (local_date)
);

create table mart.retention_count (
    cohort_week date not null,
    week_start date not null,
    users integer not null,
    constraint retention_count_pkey primary key (cohort_week, week_start)
);

comment on table mart.daily_engagement is 'What users did at the player on a day, by plan, continent and device; "unknown" where it is not known.';
comment on column mart.daily_engagement.local_date is 'The users'' own day.';
comment on column mart.daily_engagement.subscription_plan is 'The plan.';
comment on column mart.daily_engagement.continent is 'The continent.';
comment on column mart.daily_engagement.device_type is 'The kind of device.';
comment on column mart.daily_engagement.users is 'Users with a play there; who used two devices counts at both: mart.active_users counts each once.';
comment on column mart.daily_engagement.sessions is 'Sessions that began there.';
comment on column mart.daily_engagement.plays is 'Number of plays.';
comment on column mart.daily_engagement.skips is 'Number of skips.';
comment on column mart.daily_engagement.ms_played is 'How long the plays were heard, ms.';
comment on table mart.active_user_count is 'Active users; beyond the newest day it counts who still falls into a week or month.';
comment on column mart.active_user_count.local_date is 'The users'' own day.';
comment on column mart.active_user_count.daily_users is 'Users with a play on that day.';
comment on column mart.active_user_count.weekly_users is 'Users with a play on that day or the 6 before.';
comment on column mart.active_user_count.monthly_users is 'Users with a play on that day or the 29 before.';
comment on table mart.retention_count is 'How many users of a cohort played something in a week.';
comment on column mart.retention_count.cohort_week is 'Monday of the users'' first week with a play.';
comment on column mart.retention_count.week_start is 'Monday of the week.';
comment on column mart.retention_count.users is 'Users of the cohort with a play in that week.';
