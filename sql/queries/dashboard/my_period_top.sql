-- What the signed-in listener played most in a period, with the ranks of an earlier one.
select kind, rank, name, artist_name, plays, ms_played::double precision / 60000 as minutes, earlier_rank, earlier_plays
from mart.my_period_top(:first_date, :last_date, :earlier_first_date, :earlier_last_date);
