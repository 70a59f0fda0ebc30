-- A data subject leaves the live tables and the findings. The caller has filled forgotten_user, and commits. The locks
-- wait for a batch or a merge that is being written; the next one already knows that the user was forgotten.
lock table live.batch in share row exclusive mode;
lock table mart.anomaly in share row exclusive mode;

delete from mart.anomaly where user_id in (select user_id from forgotten_user);

-- Counts by continent and by artist name no user and stay; a title without an id may name one.
delete from live.user_hour where user_id in (select user_id from forgotten_user);
delete from live.active_listener where user_id in (select user_id from forgotten_user);
delete from audit.live_difference where user_id in (select user_id from forgotten_user);

create temporary table unused_title on commit drop as
select t.track_id
from live.track as t
where t.track_id like 'title:%' and not exists (select from live.user_hour as u where u.track_id = t.track_id);

delete from live.continent_hour where track_id in (select track_id from unused_title);
delete from live.track where track_id in (select track_id from unused_title);
