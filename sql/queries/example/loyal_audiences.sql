-- Which artists have the most loyal listeners: how many of a week's listeners had played the artist before?
select
    artist_name,
    count(*) as weeks,
    sum(plays) as plays,
    sum(new_listeners) as listeners,
    round(sum(returning_listeners) * 1.0 / sum(listeners), 3) as returning_share
from mart.artist_audience
group by artist_id, artist_name
having count(*) > 1
order by returning_share desc, listeners desc, artist_id
limit 10;
