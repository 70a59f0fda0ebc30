-- Joins to the tracks from here on need the current number of rows; autovacuum collects the other statistics.
analyze warehouse.dim_track (track_key, track_id);

-- Previous meanings of a staged alias that are no longer valid.
delete from warehouse.track_alias as t
where exists (
    select from staging.track_alias as s where s.alias_kind = t.alias_kind and s.alias_value = t.alias_value
)
and not exists (
    select
    from staging.track_alias as s
    inner join warehouse.dim_track as d on d.track_id = s.track_id
    where s.alias_kind = t.alias_kind and s.alias_value = t.alias_value and d.track_key = t.track_key
);

update warehouse.track_alias as t
set method = s.method, score = s.score
from staging.track_alias as s
inner join warehouse.dim_track as d on d.track_id = s.track_id
where t.alias_kind = s.alias_kind
    and t.alias_value = s.alias_value
    and t.track_key = d.track_key
    and (t.method, t.score) is distinct from (s.method, s.score);

insert into warehouse.track_alias (alias_kind, alias_value, track_key, method, score)
select s.alias_kind, s.alias_value, d.track_key, s.method, s.score
from staging.track_alias as s
inner join warehouse.dim_track as d on d.track_id = s.track_id
where not exists (
    select
    from warehouse.track_alias as t
    where t.alias_kind = s.alias_kind and t.alias_value = s.alias_value and t.track_key = d.track_key
)
order by s.alias_kind, s.alias_value, d.track_key;

-- A name-derived id that now means another track, or an id that was linked to another and that only events report,
-- keeps its row and key, and refers to that track: always the last one of a chain, whichever load added it. Rows that
-- referred to the id refer to that track, too.
create temporary table meant_track on commit drop as
with recursive meaning as materialized (
    select made.track_key, a.track_key as meant_key
    from warehouse.track_alias as a
    inner join warehouse.dim_track as made on made.track_id = a.alias_value
    where a.track_key <> made.track_key
        and (a.alias_kind = 'name' or (a.alias_kind = 'linked_id' and made.is_inferred))
),

followed as (
    select track_key, meant_key from meaning
    union
    select f.track_key, m.meant_key
    from followed as f
    inner join meaning as m on m.track_key = f.meant_key
)

select track_key, meant_key from followed where meant_key not in (select track_key from meaning);

update warehouse.track_alias as t
set track_key = m.meant_key
from meant_track as m
where t.track_key = m.track_key and t.alias_kind <> 'isrc';

update warehouse.dim_track as made
set merged_into_track_key = known.track_key, recording_key = known.recording_key
from meant_track as m
inner join warehouse.dim_track as known on known.track_key = m.meant_key
where made.track_key = m.track_key
    and (made.merged_into_track_key, made.recording_key) is distinct from (known.track_key, known.recording_key);

-- Tracks of one recording with it stay in one recording.
update warehouse.dim_track as t
set recording_key = made.recording_key
from meant_track as m
inner join warehouse.dim_track as made on made.track_key = m.track_key
where t.recording_key = m.track_key and t.recording_key <> t.track_key;

analyze warehouse.track_alias;
