"""Parts of a campaign: fault_runs."""
