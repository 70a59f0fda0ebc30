insert into mart.chart_top (chart_key, item_key, play_millionths, rank)
select c.chart_key, t.item_key, t.play_millionths, t.rank
from (select distinct chart_key from chart_key_of_cell) as c
cross join lateral (
    select
        item_key, play_millionths, row_number() over (order by play_millionths desc, item_key) as rank
    from (
        select item_key, play_millionths
        from mart.chart_count
        where chart_key = c.chart_key
        order by play_millionths desc, item_key
        limit 100
    ) as first
) as t;
