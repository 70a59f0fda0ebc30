create table mart.segment_user_count (
    start_date date not null,
    users integer not null,
    grain text not null,
    level text not null,
    segment text not null,
    constraint segment_user_count_pkey primary key (grain, level, segment, start_date),
    constraint segment_user_count_grain_known check (grain in ('day', 'week')),
    constraint segment_user_count_level_known check (level in ('continent', 'plan', 'continent_plan'))
);

comment on table mart.segment_user_count is 'Active users by continent, by plan and by both, by day and week: users do not add up, so each segment counts its own. mart.active_users has those of all.';
comment on column mart.segment_user_count.start_date is 'The day, on the users'' calendars, or the Monday of the week.';
comment on column mart.segment_user_count.users is 'Number of users with a play.';
comment on column mart.segment_user_count.grain is 'day or week.';
comment on column mart.segment_user_count.level is 'continent, plan or continent_plan.';
comment on column mart.segment_user_count.segment is 'The continent, the plan, or both, separated by a slash.';
