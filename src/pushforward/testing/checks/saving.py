"""A saved model comes back as it was."""

from __future__ import annotations

from pushforward.saving import FILES, load
from pushforward.testing.case import Case, folder, same, same_state, verbs_of
from pushforward.testing.checks.given import values_of
from pushforward.testing.checks.holes import punched


def check_save_and_load(case: Case) -> None:
    """It knows, draws and answers the same, to the last bit."""
    model = case.model
    with folder() as place:
        loaded = load(model.save(place / "model"), cls=type(model), device="cpu")
    assert same_state(model, loaded), "the weights that come back are others"
    for what in ("schema", "given", "measurements", "density"):
        assert getattr(loaded, what) == getattr(model, what), f"{what} comes back otherwise"
    assert loaded.configuration() == model.configuration(), "hyperparameters come back otherwise"
    assert verbs_of(loaded) == verbs_of(model), "a loaded model has other verbs"
    if case.draws:
        assert same(case.draw_by(loaded, 9, seed=1), case.draw(9, seed=1)), "a loaded model draws other records"
    answers, again = case.answers(case.whole), Case(case.make, case.example, case.options, 0.0)
    again.__dict__["model"] = loaded
    again.agree(answers, again.answers(case.whole), "after loading")


def check_loaded_conditionals(case: Case) -> None:
    """Also where something is held fixed, or missing."""
    with folder() as place:
        loaded = load(case.model.save(place / "model"), cls=type(case.model), device="cpu")
    given = values_of(case, 4)
    one, two = (model.sample(4, given=given, seed=1) for model in (case.model, loaded))
    assert same(one, two), "a loaded model draws other records given the same"
    if hasattr(case.model, "complete"):
        holed = punched(case)
        one, two = (model.complete(holed, seed=1) for model in (case.model, loaded))
        assert same(one, two), "a loaded model completes otherwise"


def check_saving_twice(case: Case) -> None:
    """Saving is a function of the model, and goes round."""
    with folder() as place:
        case.model.save(place / "one")
        load(place / "one", cls=type(case.model), device="cpu").save(place / "two")
        case.model.save(place / "one")
        for name in FILES:
            one, two = ((place / which / name).read_bytes() for which in ("one", "two"))
            assert one == two, f"{name} differs when a loaded model is saved"


def check_saved_weights_are_all_that_was_learned(case: Case) -> None:
    """The configuration implies the names, shapes and types of the weights."""
    state, skeleton = case.model._state(), case.model._skeleton()
    assert set(state) == set(skeleton), f"weights and configuration differ in {sorted(set(state) ^ set(skeleton))}"
    for name, tensor in state.items():
        wanted = skeleton[name]
        assert tensor.shape == wanted.shape and tensor.dtype == wanted.dtype, f"{name} has another shape or type"
        assert wanted.is_meta, f"the skeleton of {name} takes memory"


def check_a_loaded_model_can_be_fitted_again(case: Case) -> None:
    """A loaded model learns like a new one."""
    with folder() as place:
        loaded = load(case.model.save(place / "model"), cls=type(case.model), device="cpu")
    assert same_state(case.train(loaded), case.model), "a loaded model learns something else"
