create schema warehouse;

comment on schema warehouse is 'The star: dimensions, bridges and facts.';
