create view mart.listening_session as
select
    l.user_id,
    s.started_at,
    s.ended_at,
    s.local_date,
    s.duration_ms,
    s.events,
    s.plays,
    s.ms_played,
    c.country,
    c.continent,
    c.device_type,
    c.subscription_plan
from mart.session as s
inner join mart.listener as l on l.listener_key = s.listener_key
inner join mart.listening_context as c on c.listening_context_key = s.listening_context_key;

comment on view mart.listening_session is 'A user''s session: plays, pauses and skips of music from all sources, with no longer pause between them than SESSION_GAP_MINUTES.';
comment on column mart.listening_session.user_id is 'The user.';
comment on column mart.listening_session.started_at is 'When its first event happened, UTC.';
comment on column mart.listening_session.ended_at is 'When its last event was over, UTC.';
comment on column mart.listening_session.local_date is 'The user''s own day when it began.';
comment on column mart.listening_session.duration_ms is 'From start to end, ms.';
comment on column mart.listening_session.events is 'Number of plays, pauses and skips, short and excluded ones too.';
comment on column mart.listening_session.plays is 'Number of events that count as plays.';
comment on column mart.listening_session.ms_played is 'How long those plays were heard, ms.';
comment on column mart.listening_session.country is 'Country where it began.';
comment on column mart.listening_session.continent is 'Continent of that country.';
comment on column mart.listening_session.device_type is 'Device on which it began.';
comment on column mart.listening_session.subscription_plan is 'The plan when it began.';
