"""Parts of the campaign ``faults``."""
