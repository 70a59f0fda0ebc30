-- The figures of the signed-in listener's taste in a year.
select * from mart.my_taste_figures(:year);
