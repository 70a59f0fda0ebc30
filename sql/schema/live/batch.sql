-- The row is written in the transaction of its batch: a batch that Spark runs again finds it and writes nothing.
create table live.batch (
    batch_id bigint not null,
    events bigint not null,
    committed_at timestamptz not null,
    query_id uuid not null,
    next_offsets bigint[] not null,
    rejected_messages bigint[] not null,
    id_turn integer not null,
    id_turn_date date not null,
    constraint batch_pkey primary key (query_id, batch_id),
    constraint batch_events_not_negative check (events >= 0)
);

comment on table live.batch is 'The batches of the last day that the live tables contain.';
comment on column live.batch.batch_id is 'Number of the batch, counted from 0.';
comment on column live.batch.events is 'Number of its events, without duplicates.';
comment on column live.batch.committed_at is 'When its counts were written.';
comment on column live.batch.query_id is 'The query, by the id of its checkpoint: another id is another generation of the live tables.';
comment on column live.batch.next_offsets is 'For each partition the offset behind its last message so far.';
comment on column live.batch.rejected_messages is 'For each partition the number of messages rejected so far.';
comment on column live.batch.id_turn is 'The turn of the tables of event ids, counted from 0: the ids of the batch are in live.event_id_even if it is even, else in live.event_id_odd.';
comment on column live.batch.id_turn_date is 'The day (UTC) on which that turn began.';
