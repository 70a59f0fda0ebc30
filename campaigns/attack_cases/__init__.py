"""Parts of a campaign: attack_cases."""
