create table audit.arrival (
    run_id text collate "C" not null,
    input_id text collate "C" not null,
    source text not null,
    rows_added bigint not null,
    rows_late bigint not null,
    first_event_time timestamptz not null,
    last_event_time timestamptz not null,
    known_until timestamptz,
    covered_days datemultirange not null,
    constraint arrival_pkey primary key (run_id, input_id, source),
    constraint arrival_run_id_fkey foreign key (run_id) references audit.run on delete cascade,
    constraint arrival_rows_late_among_added check (rows_late between 0 and rows_added)
);

create index arrival_source_idx on audit.arrival (source, last_event_time);

comment on table audit.arrival is 'The events that an input added, and how many of them were late: one row for each run, input and source.';
comment on column audit.arrival.run_id is 'The run.';
comment on column audit.arrival.input_id is 'The input.';
comment on column audit.arrival.source is 'Where the events come from, as in fact_event.';
comment on column audit.arrival.rows_added is 'Events that were new.';
comment on column audit.arrival.rows_late is 'Those of a day (UTC) before that of known_until, which an earlier run had already loaded.';
comment on column audit.arrival.first_event_time is 'event_time of the first one.';
comment on column audit.arrival.last_event_time is 'event_time of the last one.';
comment on column audit.arrival.known_until is 'event_time of the newest event that earlier runs had loaded from this source; NULL if none.';
comment on column audit.arrival.covered_days is 'The days (UTC) of which the input brought all events: from the first to the last day that is not late, and each late one. A day with less than 1/20 of the events of the busiest day has stragglers only and is not among them.';
