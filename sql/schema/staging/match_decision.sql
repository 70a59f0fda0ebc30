create unlogged table staging.match_decision (
    kind text,
    first_id text collate "C",
    second_id text collate "C",
    is_match boolean
);

comment on table staging.match_decision is 'The decisions that a catalogue was built with, on their way to warehouse.applied_match_decision.';
comment on column staging.match_decision.kind is 'artist or recording.';
comment on column staging.match_decision.first_id is 'An id.';
comment on column staging.match_decision.second_id is 'The other id.';
comment on column staging.match_decision.is_match is 'Whether both are one.';
