"""48,842 people of the 1994 US census: 15 columns, with holes; splits train and test (UCI Adult, CC BY 4.0)."""

from importlib import resources

import pyarrow as pa
import pyarrow.parquet

SPLIT = "split"
HINTS = {"split": "left out: bookkeeping; ask for adult:train or adult:test"}


def load() -> pa.Table:
    """The raw table."""
    with resources.as_file(resources.files(__package__).joinpath("files/adult.parquet")) as path:
        return pa.parquet.read_table(path)
