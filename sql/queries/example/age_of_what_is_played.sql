-- How old is the music that users play, by the month of the play?
select
    to_char(play.local_date, 'YYYY-MM') as month,
    count(*) as dated_plays,
    percentile_cont(0.5) within group (
        order by extract(year from play.local_date) - extract(year from track.release_date)
    )
        as median_years,
    round(avg((track.release_date > play.local_date - 365)::integer), 3) as share_of_last_year
from mart.play as play
join warehouse.dim_track as track using (track_key)
where track.release_date is not null
group by 1
order by 1;
