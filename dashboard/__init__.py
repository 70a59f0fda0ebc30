"""What people see of the warehouse in a browser.

What enters: the warehouse's address by WAREHOUSE_URL, without a name, and the name and password that a person types.
What leaves: pages. Each login sees what the database lets it see, no more is decided here; nothing is written but
wishes for playlists. Every question is a file of sql/queries/dashboard.

    app                                             the entry
    sign_in                                         who is let in
    wrapped, playlists, artist, charts, operations  a page each
    wishes, picture                                 parts of them
    page, figures, places                           what pages have in common
    reading                                         questions in the name of whoever has signed in
"""
