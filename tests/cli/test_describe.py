"""`describe` and `families`."""

import json

import pushforward as pf
from pushforward.families import FAMILIES


def test_the_table_tells_kind_range_and_holes_of_every_field(run):
    told = run("describe", "penguins").stdout
    records = pf.read("penguins")
    lines = {line.split()[0]: line for line in told.splitlines() if line.strip()}
    assert "344 records of 8 fields" in lines["penguins"]
    for field in records.schema:
        assert field.kind in lines[field.name] and field.describe() in lines[field.name]
        holes = records.column(field.name).null_count
        assert (f"{100 * holes / 344:.1f} %" in lines[field.name]) == (holes > 0)


def test_the_columns_align_and_no_line_ends_in_blanks(run):
    head, *rows = run("describe", "penguins").stdout.splitlines()[2:]
    assert all(row[head.index("kind") - 1] == " " and row[head.index("kind")] != " " for row in rows)
    assert all(row == row.rstrip() for row in rows)


def test_what_was_left_out_and_why(run, tmp_path):
    (tmp_path / "people.csv").write_text("name,age\n" + "".join(f"person{i},{i % 7}\n" for i in range(50)))
    told = run("describe", "people.csv").stdout
    assert "left out" in told and "identifies rows" in told
    assert "person0" in run("describe", "people.csv", "--category", "name").stdout


def test_the_words_of_read(run, tmp_path):
    rows = "".join(f"{i % 3},{i % 5},word{i % 4},0\n" for i in range(60))
    (tmp_path / "shop.csv").write_text(f"zip,price,note,free\n{rows}")
    words = ["--category", "zip", "--text", "note", "--leave-out", "free"]
    words += ["--atoms", "price=0", "--resolution", "price=0.5"]
    told = json.loads(run("describe", "shop.csv", *words, "--json").stdout)
    fields = {field["name"]: field for field in told["fields"]}
    assert [field["kind"] for field in told["fields"]] == ["category", "number", "text"]
    assert fields["price"]["atoms"] == [0.0] and fields["price"]["resolution"] == 0.5
    assert told["left_out"] == [{"name": "free", "reason": "as asked"}]


def test_lazily_read_data_is_described_alike(run):
    eager, lazy = run("describe", "adult", "--json").stdout, run("describe", "adult", "--scan", "--json").stdout
    assert json.loads(eager) == json.loads(lazy)


def test_json_counts_records_and_holes(run):
    told = json.loads(run("describe", "penguins", "--json").stdout)
    records = pf.read("penguins")
    assert told["records"] == 344
    assert told["holes"] == {name: records.column(name).null_count for name in records.names}


def test_families_are_listed_for_people_and_for_programs(run):
    told = run("families").stdout
    assert all(name in told and line in told for name, (_, line) in FAMILIES.items())
    assert [entry["name"] for entry in json.loads(run("families", "--json").stdout)["families"]] == list(FAMILIES)
