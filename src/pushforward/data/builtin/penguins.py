"""344 penguins of Palmer Station: measures, species, island and sex, with holes (CC0)."""

from importlib import resources

import pyarrow as pa
import pyarrow.csv


def load() -> pa.Table:
    """The raw table."""
    with resources.as_file(resources.files(__package__).joinpath("files/penguins.csv")) as path:
        return pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(strings_can_be_null=True))
