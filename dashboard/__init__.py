"""The dashboard: pages in a browser that read the warehouse.

In: the warehouse's address from WAREHOUSE_URL, without a name, and the name and password that a user types. Out: pages.
The database decides what each login sees and may state; the dashboard decides nothing. It writes only what a login asks
for by a form: playlist requests, decisions and exclusions. Every query is a file of sql/queries/dashboard.

    app                             the entry point
    sign_in                         signing in with a login of the database
    wrapped, playlists, artist      a page each
    charts, operations              a page each
    forecast                        the page of forecasts
    decisions, exclusions           pages on which logins state what no source knows
    live, anomalies                 pages of what streams bring
    own_live                        the page live of artists and listeners
    own_forecast                    forecasts on the pages of a year and of an artist
    playlist_requests               a part of the page of playlists
    name_search, submission         choosing by a name, and the result of a change
    year_picture, own_history       parts of the page of a year
    taste_in_words                  the part of that page with a taste in words
    period, period_choice           the part of that page for any period, and the choice of it
    page, figures                   functions and charts that pages share
    forecast_words, forecast_charts forecasts in words and as charts
    country_locations               latitudes and longitudes of countries
    warehouse_reader                queries as the login that has signed in
"""
