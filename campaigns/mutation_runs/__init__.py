"""Parts of a campaign: mutation_runs."""
