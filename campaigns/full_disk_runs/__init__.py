"""Parts of a campaign: full_disk_runs."""
