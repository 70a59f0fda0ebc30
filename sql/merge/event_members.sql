-- The dimension members that staged events name, each once. If events differ about one, the more complete value wins,
-- then the smaller one, so that their order does not matter.
insert into staging.event_user (user_id, source)
select user_id, min(source)
from staging.event_named
where name_set = 'users'
group by user_id;

-- An artist without an id is a new one only for a track that has no artist yet: the name may be another spelling of the
-- known one.
insert into staging.event_artist (artist_id, name, source)
select distinct on (s.artist_id) s.artist_id, s.artist_name, s.source
from (
    select coalesce(n.artist_id, n.made_artist) as artist_id, n.artist_name, n.source
    from staging.event_named as n
    where n.name_set = 'things'
        and (
            n.artist_id is not null
            or n.track_id is null
            or not exists (
                select
                from warehouse.track_alias as a
                inner join warehouse.bridge_track_artist as b on b.track_key = a.track_key
                where a.alias_kind in ('spotify_id', 'linked_id') and a.alias_value = n.track_id
            )
        )
) as s
where s.artist_id is not null
order by s.artist_id, s.artist_name is null, s.artist_name, s.source;

insert into staging.event_track (track_id, name, artist_id, source)
select distinct on (s.track_id) s.track_id, s.track_name, coalesce(s.artist_id, s.made_artist), s.source
from (
    select coalesce(track_id, made_track) as track_id, track_name, artist_id, made_artist, source
    from staging.event_named
    where name_set = 'things'
) as s
where s.track_id is not null
order by
    s.track_id,
    s.track_name is null,
    s.artist_id is null,
    s.made_artist is null,
    s.track_name,
    s.artist_id nulls first,
    s.made_artist nulls first,
    s.source;

insert into staging.event_playlist (playlist_id, source)
select playlist_id, min(source)
from staging.event_named
where name_set = 'playlists' and playlist_id is not null
group by playlist_id;

insert into staging.event_context (
    platform, reason_start, reason_end, is_shuffle, is_offline, is_incognito, subscription_plan
)
select platform, reason_start, reason_end, is_shuffle, is_offline, is_incognito, subscription_plan
from staging.event_named
where name_set = 'contexts';

insert into staging.event_count (input_id, rows_accepted, rows_repeated)
select input_id, sum(row_count), 0
from staging.event_named
where name_set = 'months'
group by input_id;
