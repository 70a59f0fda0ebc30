create table audit.guessed_artist (
    track_key integer not null,
    artist_key integer not null,
    constraint guessed_artist_pkey primary key (track_key)
);

comment on table audit.guessed_artist is 'Tracks with events whose first artist nobody has said by an id: their events follow what becomes known of the track.';
comment on column audit.guessed_artist.track_key is 'The track.';
comment on column audit.guessed_artist.artist_key is 'The artist that its events have so far: whom a name means, or the unknown one.';

-- Tracks of earlier loads.
insert into audit.guessed_artist (track_key, artist_key)
select t.track_key, coalesce(f.artist_key, -1)
from warehouse.dim_track as t
left join lateral (
    select b.artist_key from warehouse.bridge_track_artist as b where b.track_key = t.track_key order by b.position limit 1
) as f on true
left join warehouse.dim_artist as a on a.artist_key = f.artist_key
where t.track_key > 0 and t.is_inferred and (a.artist_id is null or a.artist_id like 'name:%');
