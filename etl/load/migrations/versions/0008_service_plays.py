"""Plays of other services count, though most of them have no length; imports of them do not prove an owner's id."""

from alembic import op

revision = "0008_service_plays"
down_revision = "0007_growth"

_STATEMENTS = r"""
create or replace view mart.listening_event as
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
    e.artist_key,
    e.playlist_key,
    e.activity_type,
    coalesce(e.ms_played, 0) as ms_played,
    e.is_skipped,
    e.activity_type = 'PLAY'
    and coalesce(
        e.ms_played >= d.play_min_ms,
        e.source in ('recently_played', 'listenbrainz_export', 'lastfm_export', 'youtube_music_export')
    ) as is_play,
    e.artist_key in (
        select a.artist_key
        from warehouse.exclusion as x
        inner join warehouse.dim_artist as a on a.artist_id = x.id
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
where e.activity_type in ('PLAY', 'PAUSE', 'SKIP')
    and l.user_id not in (select id from warehouse.exclusion where kind = 'user');

create or replace view audit.signed_in as
select
    l.login_name,
    l.kind,
    l.user_id,
    coalesce(
        own.owner_id,
        case
            when exists (
                select from audit.account_owner as o
                where o.owner_id = coalesce(l.owner_id, l.user_id) and o.user_id <> l.user_id
            ) then null
            when l.owner_id is not null then l.owner_id
            when exists (select from audit.login as o where o.owner_id = l.user_id and o.user_id <> l.user_id) then null
            when exists (
                select
                from warehouse.dim_user as u
                inner join warehouse.dim_playlist as p on p.owner_id = u.user_id and p.source = 'api'
                where u.user_id = l.user_id and (u.source = 'feed' or u.source like '%\_export')
            ) then null
            else l.user_id
        end
    ) as owner_id,
    l.artist_id
from audit.login as l
left join audit.account_owner as own on own.user_id = l.user_id
where l.login_name = session_user::text;
"""


def upgrade() -> None:
    """Define the views again. Their comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
