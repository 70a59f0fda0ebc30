-- An id of the mock API determines the key of a recording only if it has no other id. A new key is larger than any
-- published one and new keys follow the ids, so the smallest key of a recording is a published one if there is one,
-- else that of its smallest id, which names it.
create view staging.recording_key as
with several as materialized (
    select distinct recording_id from staging.dim_track where nullif(recording_id, track_id) is not null
),

published as (
    select distinct on (s.recording_id) s.recording_id, t.track_key
    from several
    inner join staging.dim_track as s on s.recording_id = several.recording_id
    inner join warehouse.dim_track as t on t.track_id = s.track_id
    order by s.recording_id, s.source = 'mock_api', t.track_key
),

fresh as (
    select
        s.track_id,
        (select max(track_key) from warehouse.dim_track) + row_number() over (order by s.track_id) as track_key
    from staging.dim_track as s
    where not exists (select from warehouse.dim_track as t where t.track_id = s.track_id)
)

select several.recording_id, coalesce(published.track_key, fresh.track_key)::integer as recording_key
from several
left join published on published.recording_id = several.recording_id
left join fresh on fresh.track_id = several.recording_id;

comment on view staging.recording_key is 'Staged recordings of several ids; all others have the key of their only track.';
comment on column staging.recording_key.recording_id is 'The smallest track id of the recording.';
comment on column staging.recording_key.recording_key is 'The smallest track_key among its ids, which new ones get with this load.';
