"""Tables in files: delimited text and spreadsheets as a header and records of text.

One parser serves both the check of a file on its way into the lake and its reading by Spark's executors, so that the
two can never count differently. Text is read as a stream; memory does not grow with the file. A file may be packed:
gzip, or zip with one member.

What a reader of the values must know: text is as in the file but for U+0000, which PostgreSQL cannot hold and which
becomes U+FFFD. Lines without anything are no records. Spreadsheet cells read as a CSV would show them.

    container    what holds the bytes: a plain file, a packed one, a workbook
    layout       encoding and delimiter
    encodings    which older encoding a text is of
    letters      how likely a text is as names of music
    records      the records of a file
    quoting      records whose quotation marks follow two rules
    notation     how numbers and dates are written
    inspection   a whole file looked at before it is kept
    frame        received files as one Spark frame
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
