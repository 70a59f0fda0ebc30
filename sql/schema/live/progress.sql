create table live.progress (
    partition smallint not null,
    next_offset bigint not null,
    accepted_events bigint not null,
    duplicate_events bigint not null,
    late_events bigint not null,
    rejected_messages bigint not null,
    lost_messages bigint not null,
    last_offset bigint,
    watermark timestamptz,
    complete_from timestamptz not null,
    updated_at timestamptz not null,
    continent text not null,
    generation text not null,
    constraint progress_pkey primary key (partition),
    constraint progress_counts_not_negative check (
        accepted_events >= 0
        and duplicate_events >= 0
        and late_events >= 0
        and rejected_messages >= 0
        and lost_messages >= 0
    )
);

comment on table live.progress is 'Where the live tables stand: a row for each partition of the topic, which is that of a continent.';
comment on column live.progress.partition is 'The partition.';
comment on column live.progress.next_offset is 'All messages before this offset are counted.';
comment on column live.progress.accepted_events is 'Events that passed validation, duplicates and late ones too.';
comment on column live.progress.duplicate_events is 'Those that repeat an event of the last 24 hours; they are not counted in any other table.';
comment on column live.progress.late_events is 'Those of an hour that was already closed; other tables count them in columns late_….';
comment on column live.progress.rejected_messages is 'Messages that were rejected; landing has their reasons in audit.rejected_row.';
comment on column live.progress.lost_messages is 'Offsets that Kafka had removed before they were read; the star has their events if landing read them in time.';
comment on column live.progress.last_offset is 'Offset of the last message that was counted; next_offset may be behind it by more than one, for offsets of transactions.';
comment on column live.progress.watermark is 'An hour that ends by then is closed: the newest event_time of the partition minus the permitted lateness.';
comment on column live.progress.complete_from is 'Events of this time and later are complete; -infinity if no message was missing from the beginning of the topic on.';
comment on column live.progress.updated_at is 'When the row was last written.';
comment on column live.progress.continent is 'The continent whose events the partition has; it also has events of unknown countries.';
comment on column live.progress.generation is 'Version of the query and id of the topic: a new generation counts again from the oldest message.';
