create view mart.my_listening_session with (security_barrier) as
select m.*
from mart.listening_session as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_listening_session is 'Your own sessions.';
comment on column mart.my_listening_session.user_id is 'The user.';
comment on column mart.my_listening_session.started_at is 'When its first event happened, UTC.';
comment on column mart.my_listening_session.ended_at is 'When its last event was over, UTC.';
comment on column mart.my_listening_session.local_date is 'The user''s own day when it began.';
comment on column mart.my_listening_session.duration_ms is 'From start to end, ms.';
comment on column mart.my_listening_session.events is 'Number of plays, pauses and skips, short and excluded ones too.';
comment on column mart.my_listening_session.plays is 'Number of events that count as plays.';
comment on column mart.my_listening_session.ms_played is 'How long those plays were heard, ms.';
comment on column mart.my_listening_session.country is 'Country where it began.';
comment on column mart.my_listening_session.continent is 'Continent of that country.';
comment on column mart.my_listening_session.device_type is 'Device on which it began.';
comment on column mart.my_listening_session.subscription_plan is 'The plan when it began.';
