-- Of those who began to listen in a week, how many listen one, two and four weeks later?
select
    cohort_week,
    max(users) filter (where week_number = 0) as began,
    max(users) filter (where week_number = 1) as after_one_week,
    max(users) filter (where week_number = 2) as after_two_weeks,
    max(users) filter (where week_number = 4) as after_four_weeks
from mart.retention
group by cohort_week
order by cohort_week;
