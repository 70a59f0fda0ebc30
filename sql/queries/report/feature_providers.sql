-- Audio features by provider: tracks requested from it, tracks found by it, and tracks whose features come from it.
with requested as (
    select
        case kind when 'audio_features' then 'spotify' else kind end as provider,
        count(is_found) as requested,
        count(*) filter (where is_found) as found
    from audit.refresh_state
    where kind not in ('track', 'artist')
    group by kind
),

used as (
    select
        case
            when audio_features_source in ('api', 'mock_api') then 'spotify'
            when audio_features_source in ('reccobeats', 'mock_reccobeats') then audio_features_source
            else 'kaggle'
        end as provider,
        count(*) as used
    from warehouse.dim_track
    where audio_features_source is not null
    group by provider
)

select
    provider,
    nullif(requested.requested, 0) as requested,
    case when requested.requested > 0 then requested.found end as found,
    requested.found::double precision / nullif(requested.requested, 0) as match_rate,
    coalesce(used.used, 0) as used,
    coalesce(used.used, 0)::double precision / nullif(tracks.number, 0) as fraction_of_tracks
from requested
full join used using (provider)
cross join (select count(*) as number from warehouse.dim_track where track_key > 0) as tracks
where requested.requested > 0 or used.used > 0
order by used.used desc nulls last, provider;
