create table warehouse.applied_match_decision (
    kind text not null,
    first_id text collate "C" not null,
    second_id text collate "C" not null,
    is_match boolean not null,
    constraint applied_match_decision_pkey primary key (kind, first_id, second_id)
);

comment on table warehouse.applied_match_decision is 'The decisions that the catalogue was built with. A refresh follows those of warehouse.match_decision that differ. That artists are one is not among them: marts follow it.';
comment on column warehouse.applied_match_decision.kind is 'artist or recording.';
comment on column warehouse.applied_match_decision.first_id is 'An id.';
comment on column warehouse.applied_match_decision.second_id is 'The other id.';
comment on column warehouse.applied_match_decision.is_match is 'Whether both are one; else they are not.';
