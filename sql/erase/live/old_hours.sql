-- What is older than the retention, which counts from the newest event: a topic that is read again keeps its days.
create temporary table oldest_kept on commit drop as
select date_trunc('day', max(watermark) - cast(:retention as interval), 'UTC') as kept_from
from live.progress;

delete from live.user_hour where hour_start < (select kept_from from oldest_kept);
delete from live.continent_hour where hour_start < (select kept_from from oldest_kept);
delete from live.artist_hour where hour_start < (select kept_from from oldest_kept);
delete from live.active_minute where minute_start < (select kept_from from oldest_kept);
delete from live.published_artist_hour where hour_start < (select kept_from from oldest_kept);
delete from live.active_listener where minute_start < (select kept_from from oldest_kept);
delete from live.track as t
where not exists (select from live.user_hour as u where u.track_id = t.track_id)
    and not exists (select from live.continent_hour as c where c.track_id = t.track_id);
delete from live.batch where committed_at < now() - interval '1 day';
