create table mart.retention_count (
    cohort_week date not null,
    week_start date not null,
    users integer not null,
    constraint retention_count_pkey primary key (cohort_week, week_start)
);

comment on table mart.retention_count is 'Number of users of a cohort who played something in a week.';
comment on column mart.retention_count.cohort_week is 'Monday of the users'' first week with a play.';
comment on column mart.retention_count.week_start is 'Monday of the week.';
comment on column mart.retention_count.users is 'Users of the cohort with a play in that week.';
