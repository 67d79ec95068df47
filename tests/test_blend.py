"""A blend is the mixture that it says it is: shares, evidence, draws and predictions by Bayes' rule."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest
import torch

import pushforward as pf
from pushforward.blend import _stacked
from pushforward.evidence import Evidence

OF = "naive-bayes+dependency-tree:bins=8+gaussian-mixture:components=3"


@functools.cache
def learned(of=OF):
    return pf.Blend(of).fit("penguins", seed=0, steps=20)


def test_it_tells_what_its_parts_tell():
    model, data = learned(), pf.read("penguins")
    each = np.stack([part.log_prob(data) for part in model._parts], 1)
    found = np.log(np.exp(each) @ model.shares)
    np.testing.assert_allclose(model.log_prob(data), found, atol=1e-9)


def test_held_out_records_are_told_better_than_by_the_best_part():
    """Trees that look at fields in different orders are wrong about different things."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3000, 6)) @ rng.standard_normal((6, 6))
    data = pf.read(pd.DataFrame(np.round(x, 1)).rename(columns=str))
    model = pf.Blend("+".join(["tree-chain:order=random"] * 4)).fit(data[:2000], seed=0)
    assert model.score(data[2000:]) > max(part.score(data[2000:]) for part in model._parts) + 0.15


def test_what_tells_nothing_has_no_share():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(3000)
    data = pf.read(pd.DataFrame({"x": x, "y": x + 0.1 * rng.standard_normal(3000)}))
    model = pf.Blend("dependency-tree:bins=4+gaussian-mixture:components=1").fit(data, seed=0, steps=5)
    assert model.shares[0] < 0.05


def test_shares_are_those_of_greatest_likelihood():
    rng = np.random.default_rng(0)
    which = rng.random(20_000) < 0.3
    x = torch.from_numpy(np.where(which, rng.normal(0, 1, 20_000), rng.normal(3, 1, 20_000)))
    logs = torch.stack([-(x**2) / 2, -((x - 3) ** 2) / 2, torch.full_like(x, -1e9)], 1)
    assert _stacked(logs, torch.ones(len(x)))[0].item() == pytest.approx(0.3, abs=0.02)
    # records of no weight say nothing
    worth = torch.from_numpy(which.astype(float))
    assert _stacked(logs, worth)[0].item() > 0.95


def test_evidence_is_weighed_by_bayes():
    """Each part answers as often as Bayes' rule has it, and what it answers is its own."""
    model = learned()
    event = {"species": "Gentoo", "island": "Biscoe"}
    known = {name: [value] for name, value in event.items()}
    each = np.array([np.exp(part.log_prob(known)[0]) for part in model._parts])
    drawn = model.sample(4000, given=event, seed=0).to_pandas()
    weight = model.shares * each / (model.shares @ each)
    means = [part.sample(20_000, given=event, seed=1).to_pandas().body_mass_g.mean() for part in model._parts]
    assert drawn.body_mass_g.mean() == pytest.approx(weight @ means, abs=40)  # four standard errors
    assert set(drawn.species) == {"Gentoo"}


def test_log_prob_of_a_part_of_the_fields_is_a_marginal():
    model = learned()
    several = {"species": ["Adelie", "Gentoo", "Chinstrap"]}
    assert np.exp(model.log_prob(several)).sum() == pytest.approx(1, abs=1e-9)
    heavy = model.log_prob({"body_mass_g": pf.between(4000, None)})[0]
    light = model.log_prob({"body_mass_g": pf.between(None, 3999)})[0]
    assert np.exp(heavy) + np.exp(light) == pytest.approx(1, abs=1e-3)


def test_predictions_are_ratios_of_what_it_tells():
    model = learned()
    data = pf.read("penguins")[:40]
    levels = data.schema["species"].values
    columns = data.without(["species"]).table
    logs = []
    for level in levels:
        table = columns.append_column("species", [[level] * len(data)])
        logs.append(model.log_prob(pf.Records(data.schema, table.select(data.names))))
    odds = np.exp(np.stack(logs, 1))
    np.testing.assert_allclose(model.predict_proba(data, "species"), odds / odds.sum(1, keepdims=True), atol=1e-9)


def test_rows_keep_their_conditions_in_order():
    model = learned()
    islands = ["Dream", "Torgersen", "Biscoe"] * 50
    assert model.sample(150, given={"island": islands}, seed=0).column("island").to_pylist() == islands


def test_the_same_known_of_all_records_is_asked_once(monkeypatch):
    model, asked = learned(), []
    part = model._parts[0]
    before = type(part)._log_evidence

    def counted(self, evidence):
        asked.append(len(evidence))
        return before(self, evidence)

    monkeypatch.setattr(type(part), "_log_evidence", counted)
    model.sample(500, given={"island": "Dream"}, seed=0)
    assert asked == [1]
    mixed = Evidence(pf.read("penguins").select(["island"]))
    assert model._logs(mixed).std(0).max() > 0.1  # and is not where it differs


def test_minutes_that_are_left_go_to_parts_that_take_them():
    model = pf.Blend("tree-mixture:trees=1,states=4+naive-bayes").fit("penguins", minutes=0.03, seed=0)
    assert model.measurements["seconds"] < 6


@pytest.mark.parametrize("of", ["", "vae", "tree-mixture+nothing", [], 3, "tree-chain:order=none"])
def test_what_does_not_hold_the_joint_distribution_is_refused(of):
    with pytest.raises(pf.ArgumentError, match="of="):
        pf.Blend(of)


def test_saved_and_loaded_it_is_the_same(tmp_path):
    model = pf.Blend("tree-chain:order=random+naive-bayes").fit("penguins", seed=0)
    model.save(tmp_path / "model")
    again = pf.load(tmp_path / "model")
    data = pf.read("penguins")
    np.testing.assert_array_equal(again.log_prob(data), model.log_prob(data))
    assert again.sample(20, seed=1).table == model.sample(20, seed=1).table
    assert again.of[0].order == "random"
