create schema audit;

comment on schema audit is 'What ran, with which inputs, and what became of each input row.';
