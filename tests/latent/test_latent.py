"""Two families as one: what is said, fitted, drawn, saved and refused."""

import json

import numpy as np
import pytest
from sklearn.base import clone

import pushforward as pf
from pushforward.testing import Example, check_model, checks

GROUPED = {"given": "group"}


def small(coder="linear:latent=1", prior="gaussian-mixture:components=2", **more):
    return pf.Latent(coder, prior=prior, **more)


@pytest.fixture(scope="module")
def model(data):
    return small().fit(data, **GROUPED)


# The contract


# Units and constant columns are not for auto-encoders as simple as those here, which keep no checkpoints either
BEYOND = {
    "check_units", "check_repeated_data", "check_densities_integrate", "check_a_stopped_run_goes_on",
    "check_a_run_of_another_kind_is_refused", "check_progress_counts",
}  # fmt: skip
SPECS = [
    ("linear:latent=1", "gaussian-mixture:components=2"),
    ("signs", "dependency-tree"),
    ("signs:only_text=true", "ngram:order=3"),
]


@pytest.mark.parametrize("coder, prior", SPECS)
def test_the_contract_is_kept(data, coder, prior):
    few = {name: column[:40] for name, column in data.items()}
    names = [name for name in checks() if name not in BEYOND]
    check_model(lambda: small(coder, prior), [Example("grouped", few, ("group",))], only=names)


# What is said


def test_a_part_is_a_model_its_words_or_its_json(listed):
    said = [
        pf.Latent(listed["linear"](latent=3), prior=pf.GaussianMixture(components=4, covariance="diagonal")),
        pf.Latent("linear:latent=3", prior="gaussian-mixture:components=4,covariance=diagonal"),
        pf.Latent(model=" linear : latent = 3", prior="gaussian-mixture: components=4, covariance=diagonal"),
    ]
    said.append(pf.Latent(**json.loads(json.dumps(said[0].configuration()))))
    assert len({json.dumps(one.to_json()) for one in said}) == 1
    assert said[1].prior.components == 4


@pytest.mark.parametrize(
    "coder, prior, words",
    [
        ("liner", "ngram", ["model='liner'", "did you mean 'linear'"]),
        ("linear:latnt=3", "ngram", ["model='linear:latnt=3'", "latnt= is not an option", "did you mean 'latent'"]),
        ("linear:latent", "ngram", ["latent has no value", "linear:latent=VALUE"]),
        ("linear:latent=0", "ngram", ["model='linear:latent=0'", "latent=0 is out of range", "≥ 1"]),
        ("linear:latent=many", "ngram", ["latent='many' must be a whole number"]),
        ("gaussian-mixture", "ngram", ["model=gaussian-mixture is not an auto-encoder", "'vae:latent=8'"]),
        ("linear", 3, ["prior=3 is not a model"]),
        ("linear", None, ["prior=None is not a model"]),
        ("linear", pf.GaussianMixture, ["is a class".replace("is a", "but a"), "prior=GaussianMixture()"]),
        ("linear", {"family": "ngram"}, ["keys family and hyperparameters"]),
        ("linear", {"family": "ngram", "hyperparameters": {"ordr": 2}}, ["ordr= is not an option"]),
    ],
)
def test_what_is_no_part_is_refused_by_name(coder, prior, words):
    with pytest.raises(pf.ArgumentError) as caught:
        pf.Latent(coder, prior=prior)
    for word in words:
        assert word in str(caught.value)


def test_options_of_parts_are_set_as_in_scikit_learn():
    model = small().set_params(model__latent=3, prior__components=5, share=0.5)
    assert (model.model.latent, model.prior.components, model.share) == (3, 5, 0.5)
    with pytest.raises(pf.ArgumentError, match="latnt= is not an option"):
        model.set_params(model__latnt=3)
    with pytest.raises(pf.ArgumentError, match="parts are model and prior"):
        model.set_params(coder__latent=3)


def test_clones_share_no_part():
    model = small()
    copy = clone(model)
    copy.model.latent = 4
    assert model.model.latent == 1


def test_fit_leaves_the_parts_alone(data):
    coder, prior = small().model, pf.GaussianMixture(components=2)
    model = pf.Latent(coder, prior=prior).fit(data, **GROUPED)
    assert model.model is coder and not coder.fitted and model.prior is prior and not prior.fitted


# What goes together


def untouched(listed, monkeypatch):
    def fit(*args):
        raise AssertionError("the auto-encoder was trained")

    for kind in listed.values():
        monkeypatch.setattr(kind, "_fit", fit)


@pytest.mark.parametrize(
    "coder, prior, cure",
    [
        ("linear", "ngram", "'z0' is number, which n-grams cannot model; leave it out\\); take another prior, such as"),
        ("signs:only_text=yes", "gaussian-mixture", "'codes' is text, .*; take another prior, such as ngram"),
        ("signs:only_text=yes", "ngram:unit=word", "say unit=character"),
    ],
)
def test_a_prior_that_cannot_model_the_codes_is_refused_before_training(listed, monkeypatch, data, coder, prior, cure):
    untouched(listed, monkeypatch)
    name = prior.partition(":")[0]
    with pytest.raises(pf.DataError, match=f"prior={name} cannot model the codes of model={coder[:5]}.*{cure}"):
        small(coder, prior).fit(data, **GROUPED)


def test_a_prior_for_more_records_than_there_are_is_refused_before_training(listed, monkeypatch, data):
    untouched(listed, monkeypatch)
    few = {name: column[:5] for name, column in data.items()}
    words = "prior=gaussian-mixture: components=6 is more than the 5 records; take at most 5"
    for model in (
        small(prior="gaussian-mixture:components=6"),
        small("linear", small(prior="gaussian-mixture:components=6")),
    ):
        with pytest.raises(pf.ArgumentError, match=words):
            model.fit(few, **GROUPED)


def test_conditions_that_the_prior_cannot_take_are_refused_before_training(listed, monkeypatch, data):
    untouched(listed, monkeypatch)
    noted = pf.read(data | {"note": ["a b", "c d e"] * 150}, text=["note"])
    with pytest.raises(pf.DataError, match=r"given \['note'\] \(field 'note' is text.*give other conditions"):
        small().fit(noted.without(["group"]), given="note")
    with pytest.raises(pf.DataError, match=r"given='z0' is also what a code .* rename"):
        small().fit(data | {"z0": np.arange(300) / 7}, given=["group", "z0"])


def test_fields_that_the_auto_encoder_cannot_take_are_refused(data):
    with pytest.raises(pf.DataError, match="field 'group' is no float"):
        small().fit(data)


# Codes as texts


def test_texts_of_codes_are_as_long_as_there_are_codes(data):
    model = small("signs:only_text=on", "ngram:order=4").fit(data, **GROUPED)
    assert "length" not in model.options() and "temperature" in model.options()
    assert len(model.sample(200, seed=0)) == 200  # a text of another length would make no code
    assert model._codes["codes"].longest == 4
    cold = model.sample(300, given={"group": "a"}, temperature=0.05, seed=0)
    assert len(set(np.round(cold.column("x0").to_numpy() / 3).tolist())) <= 3  # one code, and noise around it


# Drawing


def test_options_go_where_they_mean_something(data, model):
    sharp = model.sample(50, given={"group": "a"}, sharp=True, seed=0)
    x = np.stack([sharp.column(f"x{i}").to_numpy() for i in range(4)])
    assert np.linalg.matrix_rank(x - x.mean(1, keepdims=True), tol=1e-8) == 1  # on the line of the decoder
    drawn = small(prior="diffusion:width=8,layers=1").fit(data, **GROUPED, steps=2)
    assert {"sharp", *pf.Diffusion().options()} - {"return_path"} == set(drawn.options())
    assert len(drawn.sample(3, given={"group": "a"}, steps=2, guidance=2.0, sharp=True)) == 3
    with pytest.raises(pf.ArgumentError, match="temperature= is not an option"):
        model.sample(3, temperature=1.0)


def test_what_is_given_comes_back_in_the_order_of_the_data(data, model):
    groups = ["a", "b", "b", "a"]
    out = model.sample(4, given={"group": groups}, seed=0)
    assert out.names == tuple(data) and out.column("group").to_pylist() == groups


def test_reconstruct_keeps_what_is_given(data, model):
    out = model.reconstruct(data)
    assert out.names == tuple(data) and out.column("group").to_pylist() == list(data["group"])
    assert np.array_equal(model.decode(model.encode(data)).column("x1").to_numpy(), out.column("x1").to_numpy())


# Learning


def test_a_scan_teaches_what_records_do(data, model, tmp_path):
    path = tmp_path / "data.parquet"
    pf.read(data).save(path)
    other = small().fit(pf.scan(path), **GROUPED)
    assert np.allclose(other.log_prob(data), model.log_prob(data))


def test_weights_reach_both_parts(data):
    weights = (data["group"] == "a").astype(float)
    one = small(prior="gaussian-mixture:components=1").fit(data, given="group", weights=weights)
    kept = {name: column[data["group"] == "a"] for name, column in data.items()}
    two = small(prior="gaussian-mixture:components=1").fit(kept, given="group")
    assert np.allclose(one._coder.state["loads"].abs(), two._coder.state["loads"].abs())
    assert np.allclose(one._prior.means, two._prior.means, atol=0.15)


def test_held_out_data_reaches_the_prior_as_codes(data):
    half = {name: column[:100] for name, column in data.items()}
    model = small(prior="gaussian-mixture:components=auto").fit(data, given="group", validation=half)
    assert model.measurements["prior"]["components"] >= 1


def test_progress_tells_of_both_parts(data):
    seen = list(small().fitting(data, **GROUPED, steps=3))
    assert [p.phase.partition(":")[0] for p in seen] == ["model"] + ["prior"] * 3
    assert [p.step for p in seen] == [1, 1, 2, 3]
    measured = small().fit(data, **GROUPED, steps=3).measurements
    assert measured["steps"] == 4 and measured["model"]["steps"] == 1 and measured["prior"]["steps"] == 3
    assert set(measured["last"]) == {"model: noise", "prior: nats"}


def test_a_run_that_stopped_in_the_prior_goes_on(data, tmp_path):
    options = {**GROUPED, "steps": 8}
    whole = small(prior="diffusion:width=8,layers=1").fit(data, **options)
    run = small(prior="diffusion:width=8,layers=1").fitting(data, **options, folder=str(tmp_path / "run"))
    for progress in run:
        if progress.phase == "prior: train" and progress.step == 4:
            break
    run.close()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["prior"]
    rest = small(prior="diffusion:width=8,layers=1")
    steps = [p.step for p in rest.fitting(data, **options, folder=str(tmp_path / "run")) if p.phase == "prior: train"]
    assert steps == [5, 6, 7, 8]
    for name, tensor in whole._state().items():
        assert (tensor == rest._state()[name]).all(), name


def test_checkpoints_of_something_else_are_refused(data, tmp_path):
    pf.GaussianMixture(components=2).fit(data, steps=2, folder=str(tmp_path / "run"))
    with pytest.raises(pf.FormatError, match="holds no run of this kind"):
        small().fit(data, **GROUPED, folder=str(tmp_path / "run"))


# Saving


def test_what_is_saved_comes_back(data, model, tmp_path):
    loaded = pf.load(model.save(tmp_path / "model"))
    assert np.array_equal(loaded.log_prob(data), model.log_prob(data))
    assert loaded.sample(9, seed=1).table.equals(model.sample(9, seed=1).table)
    assert loaded.to_json() == model.to_json() and loaded.measurements == model.measurements
    described = json.loads((tmp_path / "model/model.json").read_text())
    assert described["hyperparameters"]["model"] == {"family": "linear", "hyperparameters": {"latent": 1}}
    assert {name.partition(".")[0] for name in model._state()} == {"model", "prior"}


def test_what_a_fit_chose_comes_back(data, tmp_path):
    model = small(prior="gaussian-mixture:components=auto").fit(data, **GROUPED)
    loaded = pf.load(model.save(tmp_path / "model"))
    assert np.array_equal(loaded.log_prob(data), model.log_prob(data))


def test_a_part_that_was_changed_since_is_not_saved(data, tmp_path):
    model = small().fit(data, **GROUPED)
    model.prior.components = 3
    with pytest.raises(pf.ArgumentError, match="fit it again to save it"):
        model.save(tmp_path / "model")


def test_the_card_tells_of_the_parts(model, tmp_path):
    card = (model.save(tmp_path / "model") / "README.md").read_text()
    assert "| model | linear (latent 1) |" in card and "| prior | gaussian-mixture (components 2, " in card
    assert "| model | linear | 1 | " in card and "lower bounds of log-likelihoods, given group" in card


@pytest.mark.filterwarnings("ignore::pushforward.CollapsedWarning")  # rightly: the group says all there is to say
def test_an_auto_encoder_that_is_told_knows_what_its_codes_need_not_say():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 600)
    data = pf.read({"x": 10.0 * group + rng.standard_normal(600), "group": np.array(["a", "b", "c"])[group]})
    told = pf.Latent("vae:latent=1,width=16,absent=0", prior="gaussian-mixture:components=3", told=True)
    told.fit(data, given="group", steps=400, seed=0, device="cpu")
    for i, name in enumerate("abc"):
        drawn = told.sample(300, given={"group": name}, seed=1)
        assert abs(drawn.to_numpy()["x"].mean() - 10 * i) < 1
        assert set(drawn.column("group").to_pylist()) == {name}
    assert np.isfinite(told.log_prob(data)).all()
    free = told.sample(300, seed=2).to_numpy()  # the prior holds the group too, and tells it
    assert all(abs(free["x"][free["group"] == name].mean() - 10 * i) < 1 for i, name in enumerate("abc"))
