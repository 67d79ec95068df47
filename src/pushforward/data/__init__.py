"""Data: schemas, records, readers, encodings and built-in data sets. This package knows no family."""

from pushforward.data.read import Scan, as_part, as_records, read, scan
from pushforward.data.records import Records
from pushforward.data.schema import Category, Field, Image, LeftOut, Number, Schema, Text

__all__ = [
    "Category",
    "Field",
    "Image",
    "LeftOut",
    "Number",
    "Records",
    "Scan",
    "Schema",
    "Text",
    "as_part",
    "as_records",
    "read",
    "scan",
]
