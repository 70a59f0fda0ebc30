create table audit.regrouped_track (
    track_key integer not null,
    constraint regrouped_track_pkey primary key (track_key)
);

create table audit.play_source (
    user_id text collate "C" not null,
    source text not null,
    constraint play_source_pkey primary key (user_id, source)
);

comment on table audit.regrouped_track is 'Tracks that have come to another recording since events were loaded: plays of them may be told by several sources, or no longer.';
comment on column audit.regrouped_track.track_key is 'The track.';
comment on table audit.play_source is 'Who tells of a user''s real plays: only those of whom several tell have plays that are told twice.';
comment on column audit.play_source.user_id is 'The user.';
comment on column audit.play_source.source is 'The source.';

create function audit.regroup_track() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    insert into audit.regrouped_track (track_key) values (new.track_key) on conflict do nothing;
    return null;
end
$$;

-- Row by row, because the condition costs next to nothing for the many rows that it lets go.
create trigger regrouped_by_update after update on warehouse.dim_track
for each row when (old.recording_key <> new.recording_key)
execute function audit.regroup_track();

-- Plays of earlier loads, and what has been regrouped since.
insert into audit.play_source (user_id, source)
select distinct u.user_id, e.source
from (
    select user_key, source, activity_type from warehouse.fact_event
    union all
    select user_key, source, activity_type from audit.dropped_event
) as e
inner join warehouse.dim_user as u on u.user_key = e.user_key
where e.source in ('extended_export', 'recently_played', 'basic_export') and e.activity_type = 'PLAY';

insert into audit.regrouped_track (track_key)
select track_key from warehouse.dim_track where recording_key <> track_key
union
select track_key from audit.dropped_event where track_key > 0;
