"""3,491 emoji of 32×32 pixels with captions, tags and categories; splits train, test and unseen (Apache-2.0, MIT)."""

from importlib import resources

import pyarrow as pa
import pyarrow.parquet

SPLIT = "split"
HINTS = {
    "image": "image",
    "caption": "text",
    "tags": "text",
    "tone": "category",
    "category": "category",
    "subcategory": "category",
    "concept": "left out: bookkeeping; it identifies the picture",
    "split": "left out: bookkeeping; ask for emoji:train, emoji:test or emoji:unseen",
}


def load() -> pa.Table:
    """The raw table."""
    with resources.as_file(resources.files(__package__).joinpath("files/emoji.parquet")) as path:
        return pa.parquet.read_table(path)
