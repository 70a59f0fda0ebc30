create table audit.event_match (
    dropped_event_id uuid not null,
    dropped_event_time timestamptz not null,
    kept_event_id uuid not null,
    kept_event_time timestamptz not null,
    rule text not null,
    constraint event_match_pkey primary key (dropped_event_id, dropped_event_time)
);

comment on table audit.event_match is 'Two records of one play: which is in fact_event, which was dropped, and by which rule.';
comment on column audit.event_match.dropped_event_id is 'The event that was dropped; its row is in dropped_event.';
comment on column audit.event_match.dropped_event_time is 'Its event_time.';
comment on column audit.event_match.kept_event_id is 'The event of fact_event that is the same play.';
comment on column audit.event_match.kept_event_time is 'Its event_time.';
comment on column audit.event_match.rule is 'Which instants of the two records were how close: docs/rules.md, "One play that several records report".';
