-- Years that several feeds have in common come several times.
insert into simulation.holiday (country, holiday_date)
select distinct country, holiday_date
from staging.holiday
order by holiday_date, country
on conflict do nothing;
