"""Parts of a campaign: crash_runs."""
