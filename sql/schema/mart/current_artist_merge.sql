-- An artist is merged into one other at most, so each chain has one end.
create view mart.current_artist_merge as
with recursive merge_step as (
    select second_id as artist_id, first_id as into_id
    from warehouse.match_decision
    where kind = 'artist' and is_match and revoked_at is null
),

chain as (
    select artist_id, into_id from merge_step
    union
    select c.artist_id, s.into_id
    from chain as c
    inner join merge_step as s on s.artist_id = c.into_id
)

select a.artist_key, h.artist_key as merged_into_artist_key
from chain as c
inner join warehouse.dim_artist as a on a.artist_id = c.artist_id
inner join warehouse.dim_artist as h on h.artist_id = c.into_id
where not exists (select from merge_step as s where s.artist_id = c.into_id);

comment on view mart.current_artist_merge is 'The artists that are counted as another one, by decisions that hold. mart.applied_artist_merge has those of the last build.';
comment on column mart.current_artist_merge.artist_key is 'The artist that is counted as another.';
comment on column mart.current_artist_merge.merged_into_artist_key is 'The artist that counts.';
