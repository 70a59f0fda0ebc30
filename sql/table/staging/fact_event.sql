-- Partitions of staged events become partitions of the star: they have its columns, and indexes only once they are filled.
create table staging.fact_event (like warehouse.fact_event including constraints) partition by range (event_time);
create table staging.fact_spoken_event (like warehouse.fact_spoken_event including constraints) partition by range (event_time);
