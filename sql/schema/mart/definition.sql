create table mart.definition (
    play_min_ms integer not null,
    session_gap_minutes integer not null,
    marts text[] not null
);

create unique index definition_is_one on mart.definition ((true));

comment on table mart.definition is 'The settings of the last build of the marts, one row: if they have changed, the next build is a full refresh.';
comment on column mart.definition.play_min_ms is 'Sound heard for so long is a play, ms.';
comment on column mart.definition.session_gap_minutes is 'A pause of more minutes ends a session.';
comment on column mart.definition.marts is 'The files of sql/marts that ran, in order.';
