"""Whatever comes in, only `PushforwardError` comes out; and what was read is saved and read again unchanged."""

from __future__ import annotations

import io
import json
import string
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import pushforward as pf
from pushforward.data import Category, Image, LeftOut, Number, Schema, Text, as_records
from pushforward.errors import PushforwardError

quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def read_or_refuse(data, **words) -> pf.Records | None:
    """What both readers agree on, or None where both refuse."""
    results = []
    for reader in (pf.read, lambda source, **said: pf.scan(source, **said).read()):
        try:
            results.append(reader(data, **words))
        except PushforwardError as error:
            assert "\n" not in str(error)
            results.append(None)
    whole, lazy = results
    assert (whole is None) == (lazy is None)
    if whole is None:
        return None
    assert lazy.schema == whole.schema
    assert lazy.table.equals(whole.table)
    whole.table.validate(full=True)
    return whole


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)

fields = st.one_of(
    st.builds(
        Number,
        name=names,
        missing=st.booleans(),
        type=st.sampled_from(
            ["int8", "uint64", "double", "float", "date32[day]", "timestamp[us, tz=UTC]", "time64[us]"]
        ),
        resolution=st.none() | st.floats(1e-6, 1e6),
        decimals=st.none() | st.integers(0, 6),
        low=st.integers(-(2**53), 2**53) | finite,
        high=finite,
        atoms=st.lists(finite, max_size=3).map(tuple),
    ),
    st.builds(Category, name=names, missing=st.booleans(), values=st.lists(names, min_size=1, max_size=5).map(tuple)),
    st.builds(
        Category, name=names, values=st.lists(st.integers(-99, 99), min_size=1).map(tuple), type=st.just("int64")
    ),
    st.builds(Category, name=names, values=st.just((False, True)), type=st.just("bool")),
    st.builds(Image, name=names, channels=st.integers(1, 4), height=st.integers(1, 99), width=st.integers(1, 99)),
    st.builds(Text, name=names, missing=st.booleans(), longest=st.integers(0, 999)),
)
schemas = st.builds(
    Schema,
    st.lists(fields, max_size=5, unique_by=lambda field: field.name).map(tuple),
    st.lists(st.builds(LeftOut, names, names), max_size=2).map(tuple),
)


@quick
@given(schemas)
def test_schemas_go_to_json_and_back(schema):
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    assert all(isinstance(field.describe(), str) for field in schema)


plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@quick
@given(schemas, st.data())
def test_damaged_schemas_are_refused_or_read(schema, data):
    value = schema.to_json()
    entry = data.draw(st.sampled_from(value["fields"] or [value]))
    key = data.draw(st.sampled_from(sorted(entry)) | st.text(max_size=5))
    entry[key] = data.draw(plain_json)
    try:
        assert isinstance(Schema.from_json(value), Schema)
    except PushforwardError as error:
        assert "schema" in str(error)


cells = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "small": st.integers(-5, 5),
    "float": st.floats(),
    "money": st.integers(-999, 999).map(lambda cents: cents / 100),
    "word": st.text(max_size=6),
    "level": st.sampled_from(["a", "b", "ü"]),
    "truth": st.booleans(),
    "date": st.dates(),
    "moment": st.datetimes(),
    "time": st.times(),
    "span": st.timedeltas(),
    "bytes": st.binary(max_size=6),
    "list": st.lists(st.integers(-9, 9), max_size=2),
    "odd": st.none() | st.integers() | st.text(max_size=2) | st.floats() | st.booleans(),
}


@st.composite
def columns(draw, kinds=tuple(cells)):
    rows = draw(st.integers(0, 12))
    out = {}
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        values = cells[draw(st.sampled_from(kinds))]
        holed = st.none() | values if draw(st.booleans()) else values
        out[name] = draw(st.lists(holed, min_size=rows, max_size=rows))
    return out


@quick
@given(columns())
def test_any_dict_of_columns(data):
    read_or_refuse(data)


@quick
@given(columns(), st.data())
def test_any_words_about_columns(data, draw):
    words = ("text", "category", "number", "image", "leave_out")
    said = draw.draw(
        st.dictionaries(st.sampled_from(words), st.lists(st.sampled_from(list(data)), max_size=2), max_size=2)
    )
    read_or_refuse(data, **said)


@quick
@given(columns())
def test_any_pandas_frame(data):
    read_or_refuse(pd.DataFrame(data))


@quick
@given(
    columns(("small", "money", "level", "truth", "date", "moment", "float", "int")),
    st.sampled_from([".parquet", ".csv", ".jsonl", ".npz"]),
)
def test_what_was_read_is_saved_and_read_again(tmp_path, data, ending):
    records = read_or_refuse(data)
    if records is None:
        return
    path = tmp_path / f"a{ending}"
    path.unlink(missing_ok=True)
    records.save(path)
    back = as_records(path, records.schema)
    assert back.table.equals(records.table)
    if ending == ".parquet":
        assert pf.read(path).table.equals(records.table)


dtypes = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.unsigned_integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?"),
    npst.complex_number_dtypes(),
    npst.datetime64_dtypes(endianness="?"),
    npst.timedelta64_dtypes(endianness="?"),
    npst.unicode_string_dtypes(max_len=4),
    npst.byte_string_dtypes(max_len=4),
    npst.array_dtypes(npst.integer_dtypes(), max_size=2),
)


@quick
@given(
    dtypes.flatmap(lambda kind: npst.arrays(kind, npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)))
)
def test_any_array(array):
    before = array.copy()
    records = read_or_refuse(array)
    assert array.tobytes() == before.tobytes()
    if records is not None and array.dtype.kind == "f" and array.ndim == 2 and np.isfinite(array).all():
        back = np.stack(list(records.to_numpy().values()), 1)
        np.testing.assert_array_equal(back, array.astype(np.float64 if array.dtype.itemsize > 8 else array.dtype))


@quick
@given(npst.arrays(np.float64, npst.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=finite))
def test_layout_does_not_matter(array):
    whole = read_or_refuse(array)
    wide = np.zeros((2 * len(array), array.shape[1]))
    wide[::2] = array
    for other in (np.asfortranarray(array), wide[::2], array[::-1][::-1]):
        other.flags.writeable = False
        assert read_or_refuse(other).table.equals(whole.table)


messy = st.text(st.sampled_from(string.ascii_letters[:4] + '0123456789.,;\t|"\n\r -+eé:/\0'), max_size=120)


@quick
@given(
    st.binary(max_size=200) | messy.map(str.encode),
    st.sampled_from(["csv", "tsv", "jsonl", "txt", "parquet", "arrow", "npz", "npy", "png"]),
)
def test_any_bytes_in_any_file(tmp_path, content, ending):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)
    read_or_refuse(path)


tidy = st.sampled_from(
    ["1", "-2", "3.5", "2.25", "1e300", "true", "False", "2020-02-29", "2020-02-29 12:00:00", "", "NA", "x", '"a,\nb"']
)


@quick
@given(st.lists(st.lists(tidy, min_size=2, max_size=2), min_size=1, max_size=9), st.booleans())
def test_any_csv_of_cells(tmp_path, rows, packed):
    text = "\n".join(["p,q", *(",".join(row) for row in rows)])
    path = tmp_path / ("a.csv.gz" if packed else "a.csv")
    with pa.CompressedOutputStream(path, "gzip") if packed else path.open("wb") as file:
        file.write(text.encode())
    records = read_or_refuse(path)
    if records is not None:
        expected = pa.csv.read_csv(
            io.BytesIO(text.encode()),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(strings_can_be_null=True),
        )
        for name in records.names:
            assert records.column(name).to_pylist() == expected[name].to_pylist()
        saved = records.save(tmp_path / "b.csv")
        assert as_records(saved, records.schema).table.equals(records.table)


@quick
@given(st.lists(st.dictionaries(st.sampled_from("abc"), plain_json, max_size=3), max_size=6))
def test_any_json_objects(tmp_path, rows):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    read_or_refuse(path)


def _flipped(content: bytes, flips: list[tuple[int, int]]) -> bytes:
    damaged = bytearray(content)
    for place, value in flips:
        damaged[place % len(damaged)] ^= value
    return bytes(damaged)


def _files() -> dict[str, bytes]:
    table = pa.table({"x": [1.5, 2.5, None], "w": ["a", "b", "a"]})
    parquet, arrow, npz, npy, png = (io.BytesIO() for _ in range(5))
    pa.parquet.write_table(table, parquet)
    with pa.ipc.new_file(arrow, table.schema) as writer:
        writer.write_table(table)
    np.savez_compressed(npz, x=np.arange(9.0), w=np.array(["a", "b"] * 4 + ["c"]))
    np.save(npy, np.arange(9.0))
    png.write(pf.data.pictures.png(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)))
    return {
        name: file.getvalue()
        for name, file in (("parquet", parquet), ("arrow", arrow), ("npz", npz), ("npy", npy), ("png", png))
    }


FILES = _files()
flips = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=4)


@settings(quick, max_examples=250)
@given(st.sampled_from(sorted(set(FILES) - {"arrow"})), flips)
def test_damaged_files(tmp_path, ending, changes):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(_flipped(FILES[ending], changes))
    read_or_refuse(path)


@quick
@given(st.sampled_from(sorted(FILES)), st.integers(0, 10**6))
def test_files_cut_short(tmp_path, ending, length):
    content = FILES[ending]
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content[: length % len(content)])
    read_or_refuse(path)


@quick
@given(st.dictionaries(names, st.binary(max_size=80), max_size=3))
def test_archives_of_anything(tmp_path, members):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    read_or_refuse(path)


@quick
@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=4, max_dims=4, max_side=4)))
def test_pictures_come_back(tmp_path, pixels):
    pixels = pixels[..., :3]
    pixels = pixels if pixels.shape[3] != 2 else pixels[..., :1]
    records = read_or_refuse(pixels)
    for name in ("a.parquet", "a.npz", "pictures"):
        back = as_records(records.save(tmp_path / name), records.schema)
        np.testing.assert_array_equal(back.to_numpy()["image"], records.to_numpy()["image"])


@pytest.mark.parametrize(
    "kind", [pa.null(), pa.month_day_nano_interval(), pa.list_(pa.int8()), pa.binary(3), pa.uuid(), pa.bool8()]
)
def test_types_that_few_know(kind):
    column = pa.array([None] * 3, kind) if not isinstance(kind, pa.BaseExtensionType) else None
    if column is None:
        storage = pa.array([b"0" * 16] * 3, pa.binary(16)) if kind == pa.uuid() else pa.array([0, 1, 1], pa.int8())
        column = pa.ExtensionArray.from_storage(kind, storage)
    read_or_refuse(pa.table({"odd": column, "x": [1, 2, 3]}))
