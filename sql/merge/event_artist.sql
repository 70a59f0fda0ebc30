-- Events of tracks that have an artist only now.
create temporary table artist_found on commit drop as
select l.track_key, f.artist_key
from audit.artistless_track as l
cross join lateral (
    select b.artist_key from warehouse.bridge_track_artist as b where b.track_key = l.track_key order by b.position limit 1
) as f;

update warehouse.fact_event as t
set artist_key = f.artist_key
from artist_found as f
where t.track_key = f.track_key and t.artist_key = -1;

update audit.dropped_event as t
set artist_key = f.artist_key
from artist_found as f
where t.track_key = f.track_key and t.artist_key = -1;

delete from audit.artistless_track where track_key in (select track_key from artist_found);
