"""Parts of a campaign: concurrent_runs."""
