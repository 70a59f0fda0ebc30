"""Tables in files: delimited text and spreadsheets as a header and records of text.

The validation of a received file and the executors of Spark use the same parser, so that both count the same records.
Text is read as a stream; memory does not grow with the file. A file may be compressed: gzip, or zip with one file.

Values are as in the file, except that U+0000, which PostgreSQL cannot store, becomes U+FFFD. Empty lines are not
records. Spreadsheet cells are formatted as in a CSV export.

    container     the file around the table: plain, compressed, or a workbook
    layout        encoding and delimiter
    encodings     detection of encodings other than UTF
    letter_model  the likelihood of a text as names of music
    records       the records of a file
    quoting       records whose quotation marks follow two rules
    notation      formats of numbers and dates
    inspection    validation of a whole file before it is stored
    spark_frame   received files as one Spark frame
"""

from etl.formats.tabular.encodings import CHOICES
from etl.formats.tabular.inspection import Inspection, inspect_table
from etl.formats.tabular.layout import DELIMITERS, SPREADSHEET, Layout, detect_layout
from etl.formats.tabular.records import read_header, read_records
from etl.formats.tabular.spark_frame import read_rows

__all__ = [
    "CHOICES",
    "DELIMITERS",
    "SPREADSHEET",
    "Inspection",
    "Layout",
    "detect_layout",
    "inspect_table",
    "read_header",
    "read_records",
    "read_rows",
]
