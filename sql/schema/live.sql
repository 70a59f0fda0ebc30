create schema live;

comment on schema live is 'Provisional counts, straight from the topic of events; live.progress says how far. The star has the final ones.';
