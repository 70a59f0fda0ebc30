"""The dashboard: pages in a browser that read the warehouse.

In: the warehouse's address from WAREHOUSE_URL, without a name, and the name and password that a user types. Out: pages.
The database decides what each login sees; the dashboard decides nothing and writes only playlist requests. Every query
is a file of sql/queries/dashboard.

    app                             the entry point
    sign_in                         signing in with a login of the database
    wrapped, playlists, artist      a page each
    charts, operations              a page each
    playlist_requests               a part of the page of playlists
    year_picture                    a part of the page of a year
    page, figures                   functions and charts that pages share
    country_locations               latitudes and longitudes of countries
    warehouse_reader                queries as the login that has signed in
"""
