create table simulation.outage (
    population text collate "C" not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    constraint outage_pkey primary key (population, started_at),
    constraint outage_lasts check (started_at < ended_at)
);

comment on table simulation.outage is 'The truth about outages of simulated growing populations: hours in which no listener plays anything.';
comment on column simulation.outage.population is 'The population, as in simulation.listener.';
comment on column simulation.outage.started_at is 'Its first instant, UTC.';
comment on column simulation.outage.ended_at is 'The first instant after it, UTC.';
