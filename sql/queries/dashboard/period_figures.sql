-- A user's figures of a period.
select * from mart.period_figures(:user_id, :first_date, :last_date);
