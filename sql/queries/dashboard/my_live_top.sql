-- What the listener played in the newest hour or day with a play.
select t.period_start, t.kind, t.rank, t.item_id, t.name, t.artist_name, t.plays + t.late_plays as plays, t.ms_played
from mart.my_live_top as t
where t.period = :period
    and t.period_start = (select max(n.period_start) from mart.my_live_top as n where n.period = :period)
order by t.kind, t.rank;
