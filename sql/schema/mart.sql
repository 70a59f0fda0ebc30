create schema mart;

comment on schema mart is 'Views and aggregates that most people query.';
