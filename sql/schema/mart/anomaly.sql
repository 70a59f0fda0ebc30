create table mart.anomaly (
    user_id text collate "C" not null,
    rule text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    reason text not null,
    score double precision not null,
    combined_score double precision not null,
    detected_at timestamptz not null,
    source text not null,
    constraint anomaly_pkey primary key (user_id, rule, window_start),
    constraint anomaly_combined_score_in_range check (combined_score > 0 and combined_score < 1),
    constraint anomaly_lasts check (window_start < window_end),
    constraint anomaly_score_in_range check (score > 0 and score < 1),
    constraint anomaly_source_known check (source in ('stream', 'nightly'))
);

create index anomaly_detected_at_idx on mart.anomaly (detected_at);

comment on table mart.anomaly is 'A user breaks a rule in a window: a suggestion to look at the user, never a reason to block one. For operators only.';
comment on column mart.anomaly.user_id is 'The user.';
comment on column mart.anomaly.rule is 'The rule, as docs/anomalies.md names it.';
comment on column mart.anomaly.window_start is 'Begin of the window, UTC; of a nightly rule the begin of a day of the user, as if the user lived in UTC.';
comment on column mart.anomaly.window_end is 'End of the window, UTC, exclusive.';
comment on column mart.anomaly.reason is 'The reason in words, with the numbers that the rule compares.';
comment on column mart.anomaly.score is 'How likely the finding is to be an anomaly, from 0 to the weight of its rule.';
comment on column mart.anomaly.combined_score is 'The same over all rules that the user breaks, each by its largest score: 1 minus the product of (1 - score). Equal in all rows of a user.';
comment on column mart.anomaly.detected_at is 'When the rule found it first.';
comment on column mart.anomaly.source is 'stream: the live query, by hours; nightly: the rules over days.';
