create table audit.dropped_event (
    like warehouse.fact_event including constraints,
    constraint dropped_event_pkey primary key (event_id, event_time)
);

create index dropped_event_user_key_idx on audit.dropped_event (user_key, event_time);

create table audit.event_match (
    dropped_event_id uuid not null,
    dropped_event_time timestamptz not null,
    kept_event_id uuid not null,
    kept_event_time timestamptz not null,
    rule text not null,
    constraint event_match_pkey primary key (dropped_event_id, dropped_event_time)
);

create unlogged table staging.event_match (
    dropped_event_id uuid,
    dropped_event_time timestamptz,
    kept_event_id uuid,
    kept_event_time timestamptz,
    rule text
);

comment on table audit.dropped_event is 'Plays that a better source tells of too, as they would stand in fact_event: should the better one change, they are back.';
comment on table audit.event_match is 'Two tellings of one play: which stands in fact_event and which was dropped.';
comment on column audit.event_match.dropped_event_id is 'The event that was dropped; it stands in dropped_event.';
comment on column audit.event_match.dropped_event_time is 'Its event_time.';
comment on column audit.event_match.kept_event_id is 'The event of fact_event that is the same play.';
comment on column audit.event_match.kept_event_time is 'Its event_time.';
comment on column audit.event_match.rule is 'Which ends of the two plays were how close.';
comment on table staging.event_match is 'Matches of the load in progress, on their way to audit.event_match.';
comment on column staging.event_match.dropped_event_id is 'The event to drop.';
comment on column staging.event_match.dropped_event_time is 'Its event_time.';
comment on column staging.event_match.kept_event_id is 'The event that stays.';
comment on column staging.event_match.kept_event_time is 'Its event_time.';
comment on column staging.event_match.rule is 'Which ends of the two plays were how close.';
