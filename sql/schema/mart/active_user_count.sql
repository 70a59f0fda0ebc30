create table mart.active_user_count (
    local_date date not null,
    daily_users integer not null,
    weekly_users integer not null,
    monthly_users integer not null,
    constraint active_user_count_pkey primary key (local_date)
);

comment on table mart.active_user_count is 'Active users; after the newest day, users who still count for a week or month.';
comment on column mart.active_user_count.local_date is 'The users'' own day.';
comment on column mart.active_user_count.daily_users is 'Users with a play on that day.';
comment on column mart.active_user_count.weekly_users is 'Users with a play on that day or the 6 before.';
comment on column mart.active_user_count.monthly_users is 'Users with a play on that day or the 29 before.';
