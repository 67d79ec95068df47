"""Verbs: there or not there, and what each owes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from pushforward.data import Category, Image, Number, Records
from pushforward.errors import ArgumentError, CaptionWarning, NotFittedError
from pushforward.model import VERBS, Model
from pushforward.testing.case import Case, Inapplicable, folder, refused
from pushforward.testing.checks.holes import punched


def check_unfitted_use_is_refused(case: Case) -> None:
    """Every verb asks for a fit first."""
    model = case.make()
    assert not model.fitted, "a new model says that it is fitted"
    for verb, call in _calls(model, case).items():
        if hasattr(model, verb):
            with refused(f"{verb} before fit", NotFittedError, "fit"):
                call()
    with folder() as place, refused("save before fit", NotFittedError, "save", "fit"):
        model.save(place / "model")


def check_verbs_are_there_or_not(case: Case) -> None:
    """A verb that makes no sense is absent; one that is there works."""
    for verb, call in _calls(case.model, case).items():
        if not hasattr(case.model, verb):
            assert getattr(case.model, verb, None) is None
            continue
        try:
            call()
        except (NotImplementedError, AttributeError) as error:
            raise AssertionError(f"{verb} is there but does not work ({error}): it should be absent") from error
        except Inapplicable:
            continue


def check_fit_returns_the_model(case: Case) -> None:
    """`fit` gives back the model itself, which then says that it is fitted and to what."""
    model = case.make()
    assert case.train(model) is model, "fit does not return the model"
    assert model.fitted, "a fitted model says that it is not"
    assert model.schema.names == case.records.names, f"its fields are {model.schema.names}"
    assert model.given == tuple(case.example.given), f"its conditions are {model.given}"
    assert model.measurements["records"] == len(case.records), "it counts other records than it learned from"


def check_density_is_named(case: Case) -> None:
    """A number comes with what kind of number it is."""
    known = ("exact", "bound", "estimate", "none")
    assert case.model.density in known, f"density is {case.model.density!r}, not one of {known}"
    assert (case.model.density == "none") != hasattr(case.model, "log_prob"), "density and log_prob contradict"


def check_log_prob_is_one_number_a_record(case: Case) -> None:
    """(n,) float64, finite."""
    case.need("log_prob")
    found = case.model.log_prob(case.whole)
    assert isinstance(found, np.ndarray) and found.dtype == np.float64, "log_prob is not a float64 array"
    assert found.shape == (len(case.whole),), f"log_prob has shape {found.shape}"
    assert np.isfinite(found).all(), "log_prob is not finite"


def check_score_is_the_mean(case: Case) -> None:
    """`score` is the mean of `log_prob`."""
    case.need("score", "log_prob")
    found, wanted = case.model.score(case.whole), case.model.log_prob(case.whole).mean()
    assert isinstance(found, float) and abs(found - wanted) <= 1e-12 * (1 + abs(wanted)), f"{found} is not {wanted}"


def check_draws_are_of_the_schema(case: Case) -> None:
    """Names, types, levels, ranges of whole numbers, sizes of pictures."""
    model = case.model
    out = case.draw(60, seed=0)
    needed = set(model.schema.names) - set(model.given)
    assert needed <= set(out.names) <= set(model.schema.names), f"fields drawn are {out.names}"
    assert list(out.names) == [name for name in model.schema.names if name in out.names], "fields are out of order"
    for field in out.schema:
        column = out.column(field.name)
        assert column.type == field.arrow_type == model.schema[field.name].arrow_type, f"{field.name} is {column.type}"
        values = [] if isinstance(field, Image) else column.drop_null().to_pylist()
        if isinstance(field, Category):
            assert set(values) <= set(field.values), f"{field.name} was drawn with levels that it has not got"
        if isinstance(field, Number) and pa.types.is_integer(field.arrow_type) and values:
            assert field.low <= min(values) <= max(values) <= field.high, f"{field.name} is out of range"


def check_draws_are_new(case: Case) -> None:
    """A model of floats does not repeat the records it learned from."""
    floats = [
        f.name
        for f in case.model.schema.of_kind(Number)
        if pa.types.is_floating(f.arrow_type) and f.resolution is None and f.name not in case.model.given
    ]
    if not floats:
        raise Inapplicable("no float is modelled")
    out = case.draw(60, seed=0)
    for name in floats:
        seen = set(case.records.column(name).drop_null().to_pylist())
        drawn = out.column(name).drop_null().to_pylist()
        again = sum(value in seen for value in drawn)
        assert again == 0, f"{again} of {len(drawn)} values of {name} are those of training records"


def check_codes(case: Case) -> None:
    """`encode` gives a row a record, and `decode` takes it."""
    case.need("encode", "decode")
    codes = case.model.encode(case.whole)
    assert codes.ndim == 2 and len(codes) == len(case.whole) and np.isfinite(codes).all(), f"codes are {codes.shape}"
    out = case.model.decode(codes)
    assert len(out) == len(case.whole), f"{len(case.whole)} codes are decoded to {len(out)} records"
    assert set(out.names) <= set(case.model.schema.names), f"codes are decoded to fields {out.names}"


def check_pictures_and_texts_are_compared(case: Case) -> None:
    """Each picture with each text: cosines, which `search` sorts and `predict` takes the largest of."""
    case.need("similarity", "search", "predict")
    texts, few = case.whole[:3], ["a word", "another"]
    matrix = case.model.similarity(case.whole, texts)
    assert matrix.shape == (len(case.whole), 3) and (np.abs(matrix) <= 1 + 1e-6).all(), "these are no cosines"
    own = case.model.similarity(texts)
    assert np.allclose(own, matrix[:3].diagonal(), atol=1e-5), "a pair is compared otherwise than all pairs"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CaptionWarning)
        matrix = case.model.similarity(case.whole, few)
        rows, cosines = case.model.search(few, case.whole, k=3)
        assert rows.shape == cosines.shape == (2, 3), f"search gives {rows.shape} for 2 texts and k=3"
        assert np.allclose(cosines, np.take_along_axis(matrix.T, rows, 1), atol=1e-5), (
            "search finds others than it says"
        )
        assert np.allclose(cosines, -np.sort(-matrix.T, 1)[:, :3], atol=1e-5), "search does not find the most similar"
        best = case.model.predict(case.whole, among=few)
        assert best.tolist() == [few[i] for i in matrix.argmax(1)], "predict does not take the most similar text"
        with refused("an empty caption", ArgumentError, "caption"):
            case.model.search("", case.whole)


def check_responsibilities(case: Case) -> None:
    """They are probabilities, and `assign` takes the largest."""
    case.need("responsibilities", "assign")
    found = case.model.responsibilities(case.whole)
    assert (found >= 0).all() and np.allclose(found.sum(1), 1, atol=1e-6), "responsibilities do not add up to 1"
    assert np.array_equal(case.model.assign(case.whole), found.argmax(1)), "assign is not the largest responsibility"


def check_predictions(case: Case) -> None:
    """They are probabilities of the levels, blind to the field itself, and `predict` takes the largest."""
    case.need("predict", "predict_proba")
    name = case.category
    field = case.model.schema[name]
    assert isinstance(field, Category)
    found = case.model.predict_proba(case.whole, name)
    assert found.shape == (len(case.whole), len(field.values)), f"predict_proba has shape {found.shape}"
    assert (found >= 0).all() and np.allclose(found.sum(1), 1, atol=1e-6), "probabilities do not add up to 1"
    best = [field.values[i] for i in found.argmax(1)]
    assert case.model.predict(case.whole, name).tolist() == best, "predict is not the most probable level"
    hidden = case.whole.table.drop_columns([name])
    other = case.model.predict_proba(hidden, name)
    assert np.abs(other - found).max() <= case.tolerance, "predict_proba looks at the field that it predicts"


def check_equal_weights_change_nothing(case: Case) -> None:
    """Weights that are all alike are no weights."""
    if case.beside():
        raise Inapplicable("records of two data sets have no weights")
    weighed = case.fit(weights=np.full(len(case.records), 1.0))
    for (name, one), other in zip(case.model._state().items(), weighed._state().values(), strict=True):
        apart = torch.where(one == other, 0.0, (one.double() - other.double()).abs())  # -inf may stand beside -inf
        gap = apart.max().item() if one.numel() else 0.0
        assert gap <= 1e3 * case.tolerance, f"weights of 1 change {name} by {gap:.2g}"


def check_parameters_in_the_manner_of_scikit_learn(case: Case) -> None:
    """`get_params`, `set_params` and `clone`."""
    from sklearn.base import clone

    model = case.make()
    parameters = model.get_params()
    assert list(parameters) == list(model.parameters()), "get_params and parameters name different things"
    assert type(model)(**parameters).configuration() == model.configuration(), "a model made of get_params has others"
    assert model.set_params(**parameters) is model and model.get_params() == parameters
    for original in (model, case.model):
        copy = clone(original)
        assert copy is not original and not copy.fitted, "a clone is fitted"
        assert copy.configuration() == original.configuration(), "a clone has other hyperparameters"


def _plain(case: Case) -> str:
    """A field that can colour points."""
    for field in case.whole.schema:
        if isinstance(field, Number | Category):
            return field.name
    raise Inapplicable


def _calls(model: Model, case: Case) -> dict[str, Callable[[], Any]]:
    """Each verb with arguments that make sense."""
    whole: Records = case.whole[:4]
    calls: dict[str, Callable[[], Any]] = {
        "sample": lambda: model.sample(2, seed=0),
        "decode": lambda: model.decode(model.encode(whole)),
        "traverse": lambda: model.traverse(whole[:1], steps=3),
        "interpolate": lambda: model.interpolate(whole[:1], whole[1:2], 3),
        "scatter": lambda: model.scatter(whole, _plain(case)),
        "denoise": lambda: model.denoise(whole, 0.1),
        "complete": lambda: model.complete(punched(case), seed=0),
        "search": lambda: model.search("a word", whole),
        "predict": lambda: model.predict(whole, case.category),
        "predict_proba": lambda: model.predict_proba(whole, case.category),
    }
    if not model.fitted:
        calls["decode"] = lambda: model.decode(np.zeros((1, 1)))
        calls["complete"] = lambda: model.complete(whole)
        calls["scatter"] = lambda: model.scatter(whole, whole.names[0])
        calls["predict"] = lambda: model.predict(whole, whole.names[0])
        calls["predict_proba"] = lambda: model.predict_proba(whole, whole.names[0])
    for verb in set(VERBS) - set(calls):
        calls[verb] = lambda verb=verb: getattr(model, verb)(whole)  # type: ignore[misc]
    return calls
