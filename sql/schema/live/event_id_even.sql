create table live.event_id_even (
    event_id uuid not null,
    constraint event_id_even_pkey primary key (event_id)
);

comment on table live.event_id_even is 'The events of the batches of the last even turn (live.batch.id_turn): one that comes again is a duplicate. A turn lasts a day with batches, and begins with an empty table.';
comment on column live.event_id_even.event_id is 'The event id.';
