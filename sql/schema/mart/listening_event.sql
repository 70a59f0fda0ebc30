-- Inner joins on keys that always have a row: a query pays only for the columns that it selects.
create view mart.listening_event as
select
    e.event_id,
    e.event_time,
    greatest(
        e.event_time, coalesce(e.ended_at, e.event_time + coalesce(e.ms_played, 0) * interval '1 millisecond')
    ) as ended_at,
    l.listener_key,
    l.user_id,
    e.local_time,
    e.local_time::date as local_date,
    e.local_hour,
    coalesce(e.country, u.country) as country,
    case when e.country is null then u.continent else e.continent end as continent,
    e.device_type,
    coalesce(c.subscription_plan, u.subscription_plan) as subscription_plan,
    e.track_key,
    coalesce(m.merged_into_artist_key, e.artist_key) as artist_key,
    e.playlist_key,
    e.activity_type,
    coalesce(e.ms_played, 0) as ms_played,
    e.is_skipped,
    e.activity_type = 'PLAY'
    and coalesce(
        e.ms_played >= d.play_min_ms,
        e.source in ('recently_played', 'listenbrainz_export', 'lastfm_export', 'youtube_music_export')
    ) as is_play,
    coalesce(m.merged_into_artist_key, e.artist_key) in (
        select coalesce(o.merged_into_artist_key, a.artist_key)
        from warehouse.exclusion as x
        inner join warehouse.dim_artist as a on a.artist_id = x.id
        left join mart.applied_artist_merge as o on o.artist_key = a.artist_key
        where x.kind = 'artist'
    )
    or e.track_key in (
        select t.track_key
        from warehouse.exclusion as x
        inner join warehouse.dim_track as n on n.track_id = x.id
        inner join warehouse.dim_track as t on t.recording_key = n.recording_key
        where x.kind = 'track'
    ) as is_excluded,
    e.source
from mart.definition as d
cross join mart.listener as l
inner join warehouse.dim_user as u on u.user_id = l.user_id
inner join warehouse.fact_event as e on e.user_key = u.user_key
left join warehouse.dim_play_context as c on c.context_key = e.context_key
left join mart.applied_artist_merge as m on m.artist_key = e.artist_key
where e.activity_type in ('PLAY', 'PAUSE', 'SKIP')
    and l.user_id not in (select id from warehouse.exclusion where kind = 'user')
    -- The context is looked up for users with exclusions alone.
    and not exists (
        select
        from mart.applied_play_exclusion as x
        where x.listener_key = l.listener_key
            and coalesce(x.first_date <= e.local_time::date, true)
            and coalesce(x.last_date >= e.local_time::date, true)
            and coalesce(x.playlist_key = e.playlist_key, true)
            and coalesce(x.device_type = e.device_type, x.device_type is null)
            and coalesce(x.artist_key = e.artist_key, true)
            and coalesce(x.track_key = e.track_key, true)
            and (
                x.platform is null
                or e.context_key in (
                    select p.context_key from warehouse.dim_play_context as p where p.platform = x.platform
                )
            )
            and (
                not x.is_private_session
                or e.context_key in (select p.context_key from warehouse.dim_play_context as p where p.is_incognito)
            )
    );

comment on view mart.listening_event is 'What users did at the player: all plays, pauses and skips of music, but not of excluded users and not what is left out for a user. Empty until the marts are built.';
comment on column mart.listening_event.event_id is 'The event.';
comment on column mart.listening_event.event_time is 'When it happened, UTC; of a play its start.';
comment on column mart.listening_event.ended_at is 'When it ended; event_time if the source gives no duration.';
comment on column mart.listening_event.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listening_event.user_id is 'The user.';
comment on column mart.listening_event.local_time is 'event_time on the user''s clock.';
comment on column mart.listening_event.local_date is 'The user''s own day.';
comment on column mart.listening_event.local_hour is 'Hour of local_time, 0 to 23.';
comment on column mart.listening_event.country is 'Country where the user was; the user''s home at that time if the event does not give it.';
comment on column mart.listening_event.continent is 'Continent of that country.';
comment on column mart.listening_event.device_type is 'MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL if it is another kind or not known.';
comment on column mart.listening_event.subscription_plan is 'The plan that the event names, else the user''s at that time.';
comment on column mart.listening_event.track_key is 'The track.';
comment on column mart.listening_event.artist_key is 'The artist that the event names, else the track''s first; of artists that are one by decision, the one that counts.';
comment on column mart.listening_event.playlist_key is 'The playlist that was played from; 0 if none is named.';
comment on column mart.listening_event.activity_type is 'PLAY, PAUSE or SKIP.';
comment on column mart.listening_event.ms_played is 'Time for which sound was heard, ms; 0 if the source does not give it.';
comment on column mart.listening_event.is_skipped is 'Whether the row is a skip.';
comment on column mart.listening_event.is_play is 'Whether it counts as a play: a PLAY that was heard for PLAY_MIN_MS. Recently played and other services list plays without their length.';
comment on column mart.listening_event.is_excluded is 'Whether artist or recording are excluded.';
comment on column mart.listening_event.source is 'Where the event comes from.';
