-- All rows, for a full refresh.
create unlogged table near_event as
select
    e.listener_key,
    e.track_key,
    e.artist_key,
    e.ms_played,
    e.event_time,
    e.ended_at,
    e.local_date,
    e.local_hour,
    e.is_play,
    e.is_skipped,
    e.is_excluded,
    e.playlist_key <> 0 as is_from_playlist,
    coalesce(e.country, 'unknown') as country,
    coalesce(e.continent, 'unknown') as continent,
    coalesce(e.device_type, 'unknown') as device_type,
    coalesce(e.subscription_plan, 'unknown') as subscription_plan
from mart.listening_event as e;

analyze near_event;

create view changed_event as select * from near_event;

create unlogged table changed_day as
select d.listener_key, l.user_id, d.local_date
from (select distinct listener_key, local_date from near_event) as d
inner join mart.listener as l on l.listener_key = d.listener_key;

analyze changed_day;

create temporary table changed_user on commit drop as
select listener_key, user_id from mart.listener;

create temporary table changed_track on commit drop as
select track_key from warehouse.dim_track where track_key > 0;

create temporary table changed_playlist on commit drop as
select playlist_key from warehouse.dim_playlist where playlist_key > 0;

create temporary table changed_time on commit drop as
select listener_key, tstzrange('-infinity', 'infinity', '[]') as during from mart.listener where false;

create view unchanged_play as
select * from mart.counted_play where false;
