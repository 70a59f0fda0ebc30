-- One row for each day on which the API returned another popularity than at the previous call. Days count one by one,
-- however many of them one run loads; a day that has a row already gets the new value.
with said as (
    select t.track_key, to_char(s.asked_on, 'yyyymmdd')::integer as date_key, s.popularity
    from staging.fact_track_popularity as s
    inner join warehouse.dim_track as t on t.track_id = s.track_id
),

word as (
    select track_key, date_key, popularity, true as is_new from said
    union all
    select f.track_key, f.date_key, f.popularity, false
    from warehouse.fact_track_popularity as f
    where f.track_key in (select track_key from said)
),

judged as (
    select *, lag(popularity) over (partition by track_key order by date_key, is_new) as popularity_before
    from word
)

insert into warehouse.fact_track_popularity (track_key, date_key, popularity, source)
select track_key, date_key, popularity, 'api'
from judged
where is_new and popularity is distinct from popularity_before
order by track_key, date_key
on conflict (track_key, date_key) do update set popularity = excluded.popularity, source = excluded.source;
