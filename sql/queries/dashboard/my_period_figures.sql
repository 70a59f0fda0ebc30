-- The signed-in listener's figures of a period.
select * from mart.my_period_figures(:first_date, :last_date);
