create view mart.retention as
select
    r.cohort_week,
    r.week_start,
    (r.week_start - r.cohort_week) / 7 as week_number,
    r.users,
    r.users::double precision / c.users as share
from mart.retention_count as r
inner join mart.retention_count as c on c.cohort_week = r.cohort_week and c.week_start = r.cohort_week;

comment on view mart.retention is 'Users by the week in which they began to listen, and how many of them listened in later weeks.';
comment on column mart.retention.cohort_week is 'Monday of the users'' first week with a play.';
comment on column mart.retention.week_start is 'Monday of the week.';
comment on column mart.retention.week_number is '0 for the first week.';
comment on column mart.retention.users is 'Users of the cohort with a play in that week.';
comment on column mart.retention.share is 'Their fraction of the cohort.';
