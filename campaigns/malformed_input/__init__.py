"""Parts of a campaign: malformed_input."""
