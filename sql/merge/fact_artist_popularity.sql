-- One row for each day on which the API returned other values than at the previous call. Days count one by one, however
-- many of them one run loads; a day that has a row already gets the new values.
with said as (
    select a.artist_key, to_char(s.asked_on, 'yyyymmdd')::integer as date_key, s.popularity, s.followers
    from staging.fact_artist_popularity as s
    inner join warehouse.dim_artist as a on a.artist_id = s.artist_id
),

word as (
    select artist_key, date_key, popularity, followers, true as is_new from said
    union all
    select f.artist_key, f.date_key, f.popularity, f.followers, false
    from warehouse.fact_artist_popularity as f
    where f.artist_key in (select artist_key from said)
),

judged as (
    select
        *,
        lag(popularity) over earlier as popularity_before,
        lag(followers) over earlier as followers_before
    from word
    window earlier as (partition by artist_key order by date_key, is_new)
)

insert into warehouse.fact_artist_popularity (artist_key, date_key, popularity, followers, source)
select artist_key, date_key, popularity, followers, 'api'
from judged
where is_new and (popularity, followers) is distinct from (popularity_before, followers_before)
order by artist_key, date_key
on conflict (artist_key, date_key) do update
    set popularity = excluded.popularity, followers = excluded.followers, source = excluded.source;
