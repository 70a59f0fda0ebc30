-- Playlists, users' plays and users' playlists in one form, so that each figure is defined once. The figures of a
-- user's playlists are the sums of those of each.
create view mart.profile_figure as
select
    'playlist' as scope, playlist_key as subject_key, tracks::bigint as entries,
    featured_tracks::bigint as featured_entries, dated_tracks::bigint as dated_entries, newness_total
from mart.playlist_figure
union all
select 'plays', listener_key, plays, featured_plays, dated_plays, newness_total from mart.listener_figure
union all
select
    'playlists', o.listener_key, sum(f.tracks)::bigint, sum(f.featured_tracks)::bigint, sum(f.dated_tracks)::bigint,
    sum(f.newness_total)::bigint
from mart.playlist_owner as o
inner join mart.playlist_figure as f on f.playlist_key = o.playlist_key
group by o.listener_key;

comment on view mart.profile_figure is 'Number of recordings or plays a profile is made from.';
comment on column mart.profile_figure.scope is 'playlist, plays (a user''s) or playlists (all of a user''s).';
comment on column mart.profile_figure.subject_key is 'playlist_key, else listener_key.';
comment on column mart.profile_figure.entries is 'Recordings of a playlist, each once; plays; or recordings of all playlists, each once a playlist.';
comment on column mart.profile_figure.featured_entries is 'Those with at least one known audio feature.';
comment on column mart.profile_figure.dated_entries is 'Those with a newness score.';
comment on column mart.profile_figure.newness_total is 'Sum of these scores, in millionths.';
