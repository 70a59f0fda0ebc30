"""The formats of files and frames, and their parsers.

contracts      the columns of every frame that crosses a package's border
kaggle         the formats of Kaggle files
tabular        delimited text and spreadsheets as records of text
avro           Avro container files as Arrow tables
api_responses  responses of the Spotify API and their JSON lines
feature_providers  providers of audio features and the sources that each fills
compression    gzip and zip files: limits, and errors of corrupt ones
geography      countries, continents and timezones
time_limits    the earliest and latest time of an event
service_exports  exports of other services: formats and stored fields
history_records  plays as records of formats that other services read
"""
