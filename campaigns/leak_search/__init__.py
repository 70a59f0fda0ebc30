"""Parts of a campaign: leak_search."""
