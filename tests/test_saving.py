"""A saved model comes back as it was, and a folder that is anything else is refused in one line."""

import copy
import hashlib
import json
import os
import pickle
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

import pushforward as pf
from pushforward import saving
from pushforward.saving import FILES, SUMS

DATA = {
    "x": np.random.default_rng(0).standard_normal(60),
    "n": np.arange(60) % 7,
    "town": ["Ulm", "Bonn", None] * 20,
}


@pytest.fixture(scope="module")
def model():
    return pf.GaussianMixture(components=2).fit(DATA, steps=2)


@pytest.fixture
def folder(model, tmp_path):
    return model.save(tmp_path / "model")


def sign(folder):
    """Write hashes that fit what is there, as someone who means harm would."""
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in FILES]
    (folder / SUMS).write_text("".join(sums))


def change_json(folder, change):
    path = folder / "model.json"
    described = json.loads(path.read_text())
    change(described)
    path.write_text(json.dumps(described))
    sign(folder)


def change_weights(folder, change):
    path = folder / "weights.safetensors"
    state = safetensors.torch.load_file(path)
    change(state)
    safetensors.torch.save_file(state, path)
    sign(folder)


def refusal(folder):
    """The one line that loading is refused with."""
    with pytest.raises(pf.FormatError) as caught:
        pf.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# What comes back


def test_a_loaded_model_is_the_model(model, folder):
    loaded = pf.load(folder)
    assert loaded.schema == model.schema and loaded.given == model.given and loaded.density == model.density
    assert loaded.get_params() == model.get_params() and loaded.measurements == model.measurements
    assert np.array_equal(loaded.log_prob(DATA), model.log_prob(DATA))
    assert loaded.sample(9, seed=1).table.equals(model.sample(9, seed=1).table)


def test_saving_twice_writes_the_same(model, folder, tmp_path):
    model.save(tmp_path / "again")
    pf.load(folder).save(tmp_path / "loaded")
    assert contents(folder) == contents(tmp_path / "again") == contents(tmp_path / "loaded")


def test_a_saved_model_is_replaced_whole(model, folder):
    other = pf.GaussianMixture(components=3).fit(DATA, steps=1)
    other.save(folder)
    assert pf.load(folder).components == 3
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_the_folder_holds_these_files_and_the_card_reads_well(folder):
    assert set(contents(folder)) == {*FILES, SUMS}
    card = (folder / "README.md").read_text()
    assert "gaussian-mixture of 60 records" in card and "| town | category |" in card


def test_the_hashes_are_those_that_sha256sum_checks(folder):
    for line in (folder / SUMS).read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("place", [".", "sub/..", "link"])
def test_any_spelling_of_a_path_works(model, folder, monkeypatch, place):
    (folder.parent / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    (folder / "sub").mkdir()
    target = Path("..", "link") if place == "link" else Path(place)
    model.save(target)
    assert pf.load(folder).components == 2


def test_a_model_whose_hyperparameters_were_changed_is_not_saved(model, tmp_path):
    changed = copy.deepcopy(model).set_params(components=5)
    with pytest.raises(pf.ArgumentError, match=r"components=5 was 2 when .* fit it again"):
        changed.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_an_unfitted_model_is_not_saved(tmp_path):
    with pytest.raises(pf.NotFittedError):
        pf.GaussianMixture().save(tmp_path / "model")


# Where it may go


@pytest.mark.parametrize("content", [None, "notes.txt", "model.json"])
def test_a_folder_that_is_not_ours_is_left_alone(model, tmp_path, content):
    target = tmp_path / "mine"
    target.mkdir()
    if content:
        (target / content).write_text("mine")
    with pytest.raises(pf.ArgumentError, match="exists and is not a saved model; name another or delete it"):
        model.save(target)
    assert [path.name for path in target.iterdir()] == ([content] if content else [])


def test_a_file_is_not_replaced_by_a_folder(model, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(pf.ArgumentError, match="exists and is not a saved model"):
        model.save(tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_parent_that_does_not_exist_is_named(model, tmp_path):
    with pytest.raises(pf.ArgumentError, match=r"since .*nowhere does not exist"):
        model.save(tmp_path / "nowhere" / "model")


STEPS = ["model.json", "weights", "README.md", "flush", "first rename", "second rename"]


@pytest.mark.parametrize("step", STEPS)
def test_a_failure_while_saving_leaves_the_old_model_whole(model, folder, monkeypatch, step):
    before = contents(folder)
    fail(monkeypatch, step)
    with pytest.raises(pf.ArgumentError, match=r"cannot be written .*no space left") as caught:
        pf.GaussianMixture(components=3).fit(DATA, steps=1).save(folder)
    assert "\n" not in str(caught.value)
    assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def fail(monkeypatch, step):
    """Let the disk be full when a save comes to this step."""

    def full(*_, **__):
        raise OSError(28, "no space left")

    write, rename, renames = Path.write_text, Path.rename, []

    def write_text(path, *arguments, **options):
        return full() if path.name == step else write(path, *arguments, **options)

    def rename_to(path, target):
        renames.append(path)
        failing = ["first rename", "second rename"][len(renames) - 1 : len(renames)] == [step]
        return full() if failing else rename(path, target)

    if step == "weights":
        monkeypatch.setattr(safetensors.torch, "save_file", full)
    elif step == "flush":
        monkeypatch.setattr(saving, "flush", full)
    elif "rename" in step:
        monkeypatch.setattr(Path, "rename", rename_to)
    else:
        monkeypatch.setattr(Path, "write_text", write_text)


# What is refused


@pytest.mark.parametrize("name", [*FILES, SUMS])
@pytest.mark.parametrize("where", [0, 0.3, 0.9])
def test_a_flipped_bit_in_any_file(folder, name, where):
    path = folder / name
    raw = bytearray(path.read_bytes())
    raw[int(where * len(raw))] ^= 0b100
    path.write_bytes(bytes(raw))
    assert "copy the model again" in refusal(folder)


@pytest.mark.parametrize("name", [*FILES, SUMS])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert name in refusal(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_named(folder, name):
    (folder / name).write_bytes((folder / name).read_bytes()[:-1])
    assert f"{name} is not what was saved" in refusal(folder)


def test_a_folder_that_is_no_model(model, tmp_path):
    assert "is not a saved model" in refusal(tmp_path)
    assert "is not a saved model" in refusal(tmp_path / "nowhere")
    model.save(tmp_path / "somewhere")
    assert f"did you mean '{tmp_path / 'somewhere'}'?" in refusal(tmp_path / "somewere")


def test_an_extra_key(folder):
    change_json(folder, lambda d: d.update(run="rm -rf /"))
    assert "other keys than a model has: run" in refusal(folder)


def test_a_missing_key(folder):
    change_json(folder, lambda d: d.pop("given"))
    assert "given" in refusal(folder)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_format(folder, version):
    change_json(folder, lambda d: d.update(format=version))
    assert "is not of format 1; read it with the version that wrote it" in refusal(folder)


def test_a_family_that_does_not_exist(folder):
    change_json(folder, lambda d: d.update(family="gaussian-mixtur"))
    assert "did you mean 'gaussian-mixture'" in refusal(folder)


def test_a_class_path_is_no_family(folder):
    change_json(folder, lambda d: d.update(family="os:system"))
    assert "'os:system' does not exist" in refusal(folder)


@pytest.mark.parametrize("name, value", [("components", 0), ("components", 2.5), ("ridge", "x"), ("covariance", "odd")])
def test_hyperparameters_out_of_range(folder, name, value):
    change_json(folder, lambda d: d["hyperparameters"].update({name: value}))
    assert f"{name}={value!r}" in refusal(folder)


def test_hyperparameters_that_are_unknown_or_absent(folder):
    change_json(folder, lambda d: d["hyperparameters"].update(depth=3))
    assert "depth" in refusal(folder)
    change_json(folder, lambda d: (d["hyperparameters"].pop("depth"), d["hyperparameters"].pop("ridge")))
    assert "ridge" in refusal(folder)


def test_hyperparameters_that_ask_for_more_memory_than_there_is(folder):
    change_json(folder, lambda d: d["hyperparameters"].update(components=10**12))
    assert "this model has" in refusal(folder)  # nothing was allocated to find out


def test_given_that_is_no_field(folder):
    change_json(folder, lambda d: d.update(given=["town", "zip"]))
    assert "'zip' does not exist" in refusal(folder)


def paths(value, path=()):
    """Every place in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield from paths(below, (*path, key))


def test_any_other_value_anywhere_loads_or_is_refused_in_one_line(folder):
    sound = json.loads((folder / "model.json").read_text())
    for path in list(paths(sound))[1:]:
        for value in (None, -1, 2.5, 10**30, "x", "int64", [], [[1]], {}, {"a": 1}, True, float("nan")):
            described = copy.deepcopy(sound)
            place = described
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
            (folder / "model.json").write_text(json.dumps(described))
            sign(folder)
            try:
                pf.load(folder)
            except pf.PushforwardError as error:
                assert "\n" not in str(error), (path, value)
            except Exception as error:
                raise AssertionError(f"{path} = {value!r}: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"3"])
def test_a_description_that_is_no_json_object(folder, raw):
    (folder / "model.json").write_bytes(raw)
    sign(folder)
    assert "model.json" in refusal(folder)


@pytest.mark.parametrize("sums", [b"", b"\xff", b"abc", b"abc  model.json\n", b"a  b  c\n"])
def test_hashes_that_are_none(folder, sums):
    (folder / SUMS).write_bytes(sums)
    assert SUMS in refusal(folder)


def test_an_extra_tensor(folder):
    change_weights(folder, lambda s: s.update(more=torch.zeros(2)))
    assert "weights.safetensors has other tensors than this model: more" in refusal(folder)


def test_a_missing_tensor(folder):
    change_weights(folder, lambda s: s.pop("means"))
    assert "means" in refusal(folder)


def test_a_wrong_shape(folder):
    change_weights(folder, lambda s: s.update(means=s["means"].T.contiguous()[:1]))
    assert "means is F64 (1, 2), this model has torch.float64 (2, 2)" in refusal(folder)


@pytest.mark.parametrize("kind", [torch.float32, torch.int64, torch.int8])
def test_a_wrong_type(folder, kind):
    change_weights(folder, lambda s: s.update(means=s["means"].to(kind)))
    assert "means is" in refusal(folder)


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harmed",)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_by_the_name_of_weights_is_not_run(folder, monkeypatch, tmp_path, protocol):
    monkeypatch.chdir(tmp_path)
    (folder / "weights.safetensors").write_bytes(pickle.dumps(Harm(), protocol))
    sign(folder)
    assert "is not a safetensors file" in refusal(folder)
    assert not (tmp_path / "harmed").exists()


def test_a_torch_archive_by_the_name_of_weights_is_not_run(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    torch.save({"means": Harm()}, folder / "weights.safetensors")
    sign(folder)
    assert "is not a safetensors file" in refusal(folder)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("length", [0, 1, 7, "one less", "one more", "the file", 2**40, 2**64 - 1])
def test_a_header_that_lies_about_its_length(folder, length):
    path = folder / "weights.safetensors"
    raw = path.read_bytes()
    (true,) = struct.unpack("<Q", raw[:8])
    length = {"one less": true - 1, "one more": true + 1, "the file": len(raw)}.get(length, length)
    path.write_bytes(struct.pack("<Q", length) + raw[8:])
    sign(folder)
    assert "weights.safetensors" in refusal(folder)


def rewrite_header(path, change):
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    header = change(header) or header
    new = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(new)) + new + raw[8 + length :])


HEADERS = {
    "a list": lambda h: [1, 2],
    "a word": lambda h: "x",
    "an entry that is none": lambda h: h.update(means=3),
    "an entry without a shape": lambda h: h["means"].pop("shape") and None,
    "an entry with more": lambda h: h["means"].update(run="x"),
    "offsets beyond the end": lambda h: h["means"].update(data_offsets=[10**6, 10**6 + 32]),
    "offsets that overlap": lambda h: h["means"].update(data_offsets=[0, 32]),
    "offsets backwards": lambda h: h["means"].update(data_offsets=[32, 0]),
    "offsets before the start": lambda h: h["means"].update(data_offsets=[-32, 0]),
    "three offsets": lambda h: h["means"].update(data_offsets=[0, 1, 2]),
    "a negative shape": lambda h: h["means"].update(shape=[-2, -2]),
    "a shape in words": lambda h: h["means"].update(shape="ab"),
    "a type that does not exist": lambda h: h["means"].update(dtype="F1024"),
    "a type that is no word": lambda h: h["means"].update(dtype=[1]),
    "metadata that is none": lambda h: h.update(__metadata__=[1]),
}


@pytest.mark.parametrize("change", HEADERS.values(), ids=HEADERS)
def test_a_header_that_is_nonsense(folder, change):
    rewrite_header(folder / "weights.safetensors", change)
    sign(folder)
    assert "weights.safetensors" in refusal(folder)


def test_weights_that_end_early(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-16])
    sign(folder)
    assert "weights.safetensors" in refusal(folder)


def test_a_folder_that_was_copied_without_being_ours_is_read_only_by_load(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    assert pf.load(tmp_path / "copy").components == 2


def test_a_device_that_is_not_there_is_refused_by_name(folder):
    with pytest.raises(pf.ArgumentError, match=r"^device='warp' is unknown; say auto, cpu"):
        pf.load(folder, device="warp")
