"""Peers: frames there and back, one that every installation has, and those that are not there."""

import numpy as np
import pyarrow.compute as pc
import pytest

import pushforward as pf
from pushforward.compare.contenders import contenders
from pushforward.compare.peers import named, names
from pushforward.compare.peers.frames import emptied, filled


def test_frames_have_no_holes_and_come_back_with_them():
    records = pf.read("penguins")
    table = filled(records)
    assert not table.isna().any().any()
    back = emptied(table, records.schema)
    for name in records.names:
        assert back.column(name).null_count == records.column(name).null_count
        assert pc.all(pc.equal(back.column(name), records.column(name))).as_py()


def test_the_mixture_of_scikit_learn_draws_what_is_near(moons):
    peer = named("sklearn-mixture")()
    peer.fit(moons, seed=0, seconds=1)
    drawn = peer.sample(2000, seed=1)
    assert drawn.schema == moons.schema and len(drawn) == 2000
    for name in "xy":
        ours, theirs = (r.to_numpy()[name] for r in (drawn, moons))
        assert abs(ours.mean() - theirs.mean()) < 5 * theirs.std() / 2000**0.5 + 0.05
    assert np.array_equal(peer.sample(50, seed=2).to_numpy()["x"], peer.sample(50, seed=2).to_numpy()["x"])


def test_who_is_not_installed_is_named_with_what_to_do(moons, monkeypatch):
    assert set(names()) == {"ctgan", "forest-diffusion", "sdv", "sklearn-mixture"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    specs, unfit = contenders(moons, "naive-bayes", ["sdv"], ())
    assert set(specs) == {"naive-bayes"} and "pip install sdv" in unfit["sdv"]


def test_peers_take_no_conditions_and_no_pictures(moons):
    _, unfit = contenders(moons, "naive-bayes", ["sklearn-mixture"], ("moon",))
    assert "no conditions" in unfit["sklearn-mixture"]
    _, unfit = contenders(pf.read("digits")[:20], "vae", ["sklearn-mixture"], ())
    assert "'image' is image" in unfit["sklearn-mixture"]


def test_models_and_their_words_are_the_same():
    specs, _ = contenders(pf.read("moons")[:20], [pf.GAN(loss="hinge"), "gan:loss=relativistic"], (), ())
    assert list(specs) == ["gan:loss=hinge", "gan:loss=relativistic"]
    with pytest.raises(pf.ArgumentError, match="comes twice"):
        contenders(pf.read("moons")[:20], [pf.GAN(loss="hinge"), "gan:loss=hinge"], (), ())
