"""What people see of the warehouse in a browser.

What enters: the warehouse's address by WAREHOUSE_URL, without a name, and the name and password that a person types.
What leaves: pages. Each login sees what the database lets it see, no more is decided here; nothing is written but
wishes for playlists. ``app`` is the entry, a page is a module, and every question is a file of sql/dashboard.
"""
