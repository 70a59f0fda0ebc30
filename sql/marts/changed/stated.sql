-- What analysts and listeners have stated since the last build. All files of this build read the tables of applied
-- statements, so a statement that arrives meanwhile waits for the next build as a whole.
create temporary table changed_artist_merge on commit drop as
(
    select artist_key as counted_artist_key
    from (
        select artist_key, merged_into_artist_key from mart.current_artist_merge
        except
        select artist_key, merged_into_artist_key from mart.applied_artist_merge
    ) as added
)
union
(
    select merged_into_artist_key
    from (
        select artist_key, merged_into_artist_key from mart.applied_artist_merge
        except
        select artist_key, merged_into_artist_key from mart.current_artist_merge
    ) as removed
);

delete from mart.applied_artist_merge;

insert into mart.applied_artist_merge (artist_key, merged_into_artist_key)
select artist_key, merged_into_artist_key
from mart.current_artist_merge
order by artist_key;

create temporary table play_exclusion_now on commit drop as select * from mart.current_play_exclusion;

create temporary table changed_play_exclusion on commit drop as
(select * from play_exclusion_now except select * from mart.applied_play_exclusion)
union all
(select * from mart.applied_play_exclusion except select * from play_exclusion_now);

delete from mart.applied_play_exclusion;

insert into mart.applied_play_exclusion select * from play_exclusion_now;

-- The global exclusions of artists, each with the artists that are counted as the same.
create temporary table excluded_artist on commit drop as
with excluded as (
    select coalesce(m.merged_into_artist_key, a.artist_key) as artist_key
    from warehouse.exclusion as x
    inner join warehouse.dim_artist as a on a.artist_id = x.id
    left join mart.applied_artist_merge as m on m.artist_key = a.artist_key
    where x.kind = 'artist'
)

select artist_key from excluded
union
select m.artist_key
from excluded as e
inner join mart.applied_artist_merge as m on m.merged_into_artist_key = e.artist_key;

analyze changed_artist_merge;
analyze changed_play_exclusion;
analyze excluded_artist;
analyze mart.applied_artist_merge;
analyze mart.applied_play_exclusion;
