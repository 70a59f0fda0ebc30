create unlogged table staging.event_match (
    dropped_event_id uuid,
    dropped_event_time timestamptz,
    kept_event_id uuid,
    kept_event_time timestamptz,
    rule text
);

comment on table staging.event_match is 'Matches of the load in progress, on their way to audit.event_match.';
comment on column staging.event_match.dropped_event_id is 'The event to drop.';
comment on column staging.event_match.dropped_event_time is 'Its event_time.';
comment on column staging.event_match.kept_event_id is 'The event that stays.';
comment on column staging.event_match.kept_event_time is 'Its event_time.';
comment on column staging.event_match.rule is 'Which ends of the two plays were how close.';
