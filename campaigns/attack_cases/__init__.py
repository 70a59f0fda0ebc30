"""Parts of the campaign ``attacks``."""
