-- Of the users who began in a week, how many listen one, two and four weeks later? NULL for future weeks.
select
    cohort_week,
    max(users) filter (where week_number = 0) as began,
    case when cohort_week + 7 <= last_week then coalesce(max(users) filter (where week_number = 1), 0) end
        as after_one_week,
    case when cohort_week + 14 <= last_week then coalesce(max(users) filter (where week_number = 2), 0) end
        as after_two_weeks,
    case when cohort_week + 28 <= last_week then coalesce(max(users) filter (where week_number = 4), 0) end
        as after_four_weeks
from mart.retention
cross join (select max(week_start) as last_week from mart.retention) as latest
group by cohort_week, last_week
order by cohort_week;
