-- The figures of a user's taste in a year.
select * from mart.taste_figures(:user_id, :year);
