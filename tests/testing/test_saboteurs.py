"""Twins of a sound family, each broken in one way, and the check that has to find it out."""

import ctypes
import dataclasses
import itertools
import random
from typing import Annotated

import numpy as np
import pyarrow as pa
import pytest
import torch
from annotated_types import Gt

import pushforward as pf
from pushforward.data import Number, Records, Schema, as_records
from pushforward.data.holes import hide, overlay
from pushforward.errors import DataError
from pushforward.testing import check_model, checks
from pushforward.training.randomness import generator

SABOTEURS = []


def fails(*names):
    """Name the checks that must reject a class."""

    def mark(cls):
        SABOTEURS.extend((cls, name) for name in names)
        return cls

    return mark


class Sound(pf.GaussianMixture):
    """All that stands in one place to be broken."""

    small = {"components": 2}  # noqa: RUF012

    def more(self, options):
        """One step more: another model."""
        return {**options, "steps": options["steps"] + 1}


# Randomness


@fails("check_same_seed_same_sample")
class IgnoresSeed(Sound):
    def _sample(self, n, given, generator_):
        return super()._sample(n, given, generator(None))


@fails("check_same_seed_same_completion")
class CompletesAtRandom(Sound):
    def _complete(self, records, generator_):
        return super()._complete(records, generator(None))


@fails("check_other_seed_other_sample")
class AlwaysTheSame(Sound):
    def _sample(self, n, given, generator_):
        return super()._sample(n, given, generator(7))


@fails("check_samples_are_as_long_as_asked")
class OneShort(Sound):
    def sample(self, n, **options):
        return super().sample(n, **options)[: max(1, n - 1)]


@fails("check_global_random_state")
class DrawsFromPyTorch(Sound):
    def _sample(self, n, given, generator_):
        torch.rand(1)
        return super()._sample(n, given, generator_)


@fails("check_global_random_state")
class SeedsNumPy(Sound):
    def _log_prob(self, records):
        np.random.seed(0)
        return super()._log_prob(records)


@fails("check_global_random_state")
class DrawsFromPython(Sound):
    def _fit(self, data, weights, run):
        random.random()
        return super()._fit(data, weights, run)


@fails("check_fit_depends_on_its_seed_alone")
class FitsByTheClock(Sound):
    clock = itertools.count()

    def fitting(self, data, **options):
        return super().fitting(data, **(self.more(options) if next(self.clock) % 2 else options))


# Purity


@fails("check_input_untouched")
class ScalesInPlace(Sound):
    def fitting(self, data, **options):
        for column in data.values() if isinstance(data, dict) else [data]:
            if isinstance(column, np.ndarray) and column.dtype == float and column.flags.writeable:
                column *= 2
        return super().fitting(data, **options)


@fails("check_records_untouched")
class WritesIntoArrow(Sound):
    def _fit(self, data, weights, run):
        column = data.table.column(data.names[-1]).chunk(0)
        ctypes.memset(next(b for b in column.buffers()[::-1] if b is not None).address, 65, 1)
        return super()._fit(data, weights, run)


@fails("check_given_untouched")
class EatsGiven(Sound):
    def sample(self, n, *, given=None, seed=None):
        out = super().sample(n, given=given, seed=seed)
        if isinstance(given, dict):
            given.popitem()
        return out


@fails("check_hyperparameters_untouched")
class TunesItself(Sound):
    def fitting(self, data, **options):
        self.components = 1
        return super().fitting(data, **options)


@fails("check_fit_twice_is_fit_once")
class LearnsOn(Sound):
    times = 0

    def fitting(self, data, **options):
        self.times += 1
        return super().fitting(data, **(self.more(options) if self.times > 1 else options))


@fails("check_fit_forgets")
class Remembers(Sound):
    seen = None

    def fitting(self, data, **options):
        before, self.seen = self.seen, len(data)
        return super().fitting(data, **(self.more(options) if before not in (None, self.seen) else options))


@fails("check_sampling_does_not_learn")
class WearsOut(Sound):
    def _sample(self, n, given, generator_):
        out = super()._sample(n, given, generator_)
        self.mixture.means[:] += 0.01
        return out


# Rows


class Judged(Sound):
    """`log_prob` with something added that depends on more than the record."""

    def _log_prob(self, records):
        return super()._log_prob(records) + self.extra(records)


@fails("check_batch_equals_singles", "check_subset")
class CountsTheBatch(Judged):
    def extra(self, records):
        return 1e-6 * len(records)


@fails("check_order", "check_repeated_records")
class CountsThePosition(Judged):
    def extra(self, records):
        return 1e-6 * torch.arange(len(records))


@fails("check_batch_equals_singles")
class NormalisesTheBatch(Sound):
    def _responsibilities(self, records):
        found = super()._responsibilities(records)
        return found / found.sum(0)


@fails("check_order_of_columns")
class TakesColumnsAsTheyCome(Sound):
    def log_prob(self, data):
        found = super().log_prob(data)
        turned = isinstance(data, pa.Table) and data.column_names[0] != self.schema.names[0]
        return found + turned


@fails("check_complete_is_by_record")
class CompletesTheComplete(Sound):
    def _complete(self, records, generator_):
        return super()._complete(records, generator_)[::-1]


# Given


@fails("check_given_value_is_returned")
class IgnoresOneForAll(Sound):
    def _sample(self, n, given, generator_):
        out = super()._sample(n, given, generator_)
        alike = given is not None and len(given.names) == 1 and len(given.column(given.names[0]).unique()) == 1
        return super()._sample(n, None, generator_) if alike else out


@fails("check_given_column_is_returned")
class TurnsColumns(Sound):
    def _sample(self, n, given, generator_):
        return super()._sample(n, None if given is None else given[::-1], generator_)


@fails("check_given_frame_is_returned")
class TakesOnlyDicts(Sound):
    def sample(self, n, *, given=None, seed=None):
        return super().sample(n, given=given if isinstance(given, dict) else None, seed=seed)


@fails("check_given_number_off_what_was_seen_is_returned")
class CutsToRange(Sound):
    def _sample(self, n, given, generator_):
        out = super()._sample(n, given, generator_)
        columns = {
            f.name: np.clip(out.to_numpy()[f.name], f.low, f.high) if isinstance(f, Number) else out.column(f.name)
            for f in out.schema
        }
        return Records(out.schema, pa.table(columns).cast(out.schema.arrow, safe=False))


@fails("check_given_hole_is_left_open")
class LeavesHolesGiven(Sound):
    def _sample(self, n, given, generator_):
        out = super()._sample(n, given, generator_)
        columns = {name: (given if given and name in given.names else out).column(name) for name in out.names}
        return Records(out.schema, pa.table(columns, schema=out.schema.arrow))


@fails("check_what_cannot_be_given_is_refused")
class SwallowsGiven(Sound):
    def _allowed(self):
        return self.given, "fit again"

    def sample(self, n, *, given=None, seed=None):
        return super().sample(n, given=given and {k: v for k, v in given.items() if k in self.given}, seed=seed)


@fails("check_given_of_another_length")
class RecyclesGiven(Sound):
    def sample(self, n, *, given=None, seed=None):
        if isinstance(given, dict):
            given = {
                k: v.take(pa.array(np.arange(n) % len(v))) if isinstance(v, pa.Array) else v for k, v in given.items()
            }
        return super().sample(n, given=given, seed=seed)


# Holes


@fails("check_complete_leaves_what_is_there")
class Overwrites(Sound):
    def _complete(self, records, generator_):
        return super()._complete(hide(records, records.names[:1]), generator_)


@fails("check_complete_fills_every_hole")
class LeavesHoles(Sound):
    def _complete(self, records, generator_):
        return overlay(super()._complete(records, generator_), records) if len(records) < 9 else records


@fails("check_complete_takes_columns_that_are_absent")
class WantsAllColumns(Sound):
    def complete(self, data, *, seed=None):
        return super().complete(as_records(data, self.schema), seed=seed)


@fails("check_complete_draws")
class CompletesAlwaysTheSame(Sound):
    def _complete(self, records, generator_):
        return super()._complete(records, generator(1))


@fails("check_only_fields_with_holes_get_holes")
class DrawsHolesAnywhere(Sound):
    def _sample(self, n, given, generator_):
        out = super()._sample(n, given, generator_)
        field = next(f for f in out.schema if f.kind != "image")
        holed = pa.array(out.column(field.name).to_pylist(), field.arrow_type, mask=np.arange(n) == 0)
        return Records(out.schema, out.table.set_column(out.names.index(field.name), field.name, holed))


@fails("check_nan_is_a_hole")
class TakesNoneForZero(Sound):
    def fitting(self, data, **options):
        if isinstance(data, pa.Table):
            data = pa.table({n: c.fill_null(0) if pa.types.is_floating(c.type) else c for n, c in zip(
                data.column_names, data.columns, strict=True)})  # fmt: skip
        return super().fitting(data, **options)


@fails("check_log_prob_of_a_hole")
class HolesAreNowhere(Sound):
    def _log_prob(self, records):
        out = super()._log_prob(records)
        holes = sum(records.column(name).null_count for name in records.names)
        return out * torch.inf if holes else out


@fails("check_a_hole_sums_over_its_levels")
class HolesCostALittle(Judged):
    def extra(self, records):
        holes = sum(records.column(n).is_null().to_numpy().astype(float) for n in records.names)
        return -0.01 * torch.as_tensor(holes)


@fails("check_infinity_is_refused")
class TakesInfinity(Sound):
    def fitting(self, data, **options):
        if isinstance(data, pa.Table):
            data = {n: np.nan_to_num(c.to_numpy(), posinf=0) if pa.types.is_floating(c.type) else c
                    for n, c in zip(data.column_names, data.columns, strict=True)}  # fmt: skip
        return super().fitting(data, **options)


# Likelihood


@fails("check_units")
class WrongSignOfUnits(Sound):
    def _set(self, parameters):
        super()._set(parameters)
        self._offset = -self._offset


@fails("check_densities_integrate")
class NoUnits(Sound):
    def _set(self, parameters):
        super()._set(parameters)
        self._offset = 0 * self._offset


@fails("check_probabilities_add_up")
class TooSure(Judged):
    def extra(self, records):
        return 0.001


# Little data


@fails("check_one_record", "check_one_field", "check_two_records")
class NeedsMore(Sound):
    def _check_count(self, n):  # lest it be refused in one line, as it should
        pass

    def _fit(self, data, weights, run):
        if len(data) < 3 or len(data.schema) == 1:
            raise IndexError("list index out of range")
        return super()._fit(data, weights, run)


@fails("check_a_constant_column", "check_repeated_data")
class DividesByTheRange(Sound):
    def _fit(self, data, weights, run):
        for field in data.schema.of_kind(Number):
            values = data.column(field.name).drop_null().to_pylist()
            1 / (max(values) - min(values))
        return super()._fit(data, weights, run)


@fails("check_huge_and_tiny_numbers")
class Overflows(Sound):
    def _log_prob(self, records):
        out = super()._log_prob(records)
        return out * torch.inf if any(f.high > 1e9 for f in records.schema.of_kind(Number)) else out


@fails("check_empty_data_is_refused")
class AnswersNothingWithNothing(Sound):
    def log_prob(self, data):
        return np.empty(0) if len(data) == 0 else super().log_prob(data)


# Arrays


@fails("check_layouts_of_memory")
class WantsContiguousArrays(Sound):
    def fitting(self, data, **options):
        arrays = [a for a in (data.values() if isinstance(data, dict) else [data]) if isinstance(a, np.ndarray)]
        odd = any(not array.flags.c_contiguous for array in arrays)
        return super().fitting(data, **(self.more(options) if odd else options))


@fails("check_types_survive")
class WidensIntegers(Sound):
    def _sample(self, n, given, generator_):
        out = super()._sample(n, given, generator_)
        fields = [
            dataclasses.replace(f, type="int64") if isinstance(f, Number) and f.integral else f for f in out.schema
        ]
        schema = Schema(tuple(fields))
        return Records(schema, out.table.cast(schema.arrow))


@fails("check_float32_is_as_good_as_float64")
class SquintsAtFloat32(Sound):
    def fitting(self, data, **options):
        narrow = getattr(data, "dtype", None) == np.float32
        return super().fitting(data, **(self.more(options) if narrow else options))


@fails("check_records_arrays_and_tables_are_one")
class TreatsRecordsOtherwise(Sound):
    def fitting(self, data, **options):
        return super().fitting(data, **(self.more(options) if isinstance(data, Records) else options))


# Refusals


@fails("check_sizes_of_a_sample_are_refused")
class TakesAnySize(Sound):
    def sample(self, n, **options):
        return super().sample(max(1, int(n)) if isinstance(n, int | float) and n == n else n, **options)


@fails("check_seeds_are_refused")
class TakesAnySeed(Sound):
    def sample(self, n, *, given=None, seed=None):
        return super().sample(n, given=given, seed=abs(seed) if isinstance(seed, int) else seed)


@fails("check_unknown_options_are_refused")
class SwallowsOptions(Sound):
    def fitting(self, data, **options):
        return super().fitting(data, **{k: v for k, v in options.items() if k != "seeds"})


@fails("check_options_out_of_range_are_refused")
class TakesAnyHeat(Sound):
    def _sample(self, n, given, generator, *, heat: Annotated[float, Gt(0)] = 1.0):
        return super()._sample(n, given, generator)

    def sample(self, n, *, given=None, seed=None, heat=1.0):
        return super().sample(n, given=given, seed=seed)


@fails("check_hyperparameters_out_of_range_are_refused")
class ChecksNothing(Sound):
    def __post_init__(self):
        pass


@fails("check_hyperparameters_out_of_range_are_refused")
class ChecksOnlyWhenMade(Sound):
    def set_params(self, **values):
        for name, value in values.items():
            setattr(self, name, value)
        return self


@fails("check_unknown_fields_are_refused")
class SwallowsConditions(Sound):
    def fitting(self, data, *, given=(), **options):
        return super().fitting(data, given=[g for g in given if not g.endswith("z")], **options)


@fails("check_an_absent_field_is_marginalised_or_refused")
class TakesAbsentForWhatItSawFirst(Sound):
    def log_prob(self, data):
        if isinstance(data, pa.Table):
            data = (
                data.append_column(self.schema.names[-1], self.first)
                if self.schema.names[-1] not in data.column_names
                else data
            )
        return super().log_prob(data)

    def fitting(self, data, **options):
        records = pf.read(data)
        self.__dict__["first"] = records.column(records.names[-1])
        yield from super().fitting(data, **options)


# Ranges and sets


@fails("check_a_range_holds", "check_a_set_holds")
class PassesOverLimits(Sound):
    def _draw(self, evidence, generator_, **options):
        return super()._draw(dataclasses.replace(evidence, limits={}), generator_, **options)


@fails("check_parts_add_up_to_the_whole")
class CountsTheBorderTwice(Sound):
    def _log_evidence(self, evidence):
        return super()._log_evidence(evidence) + 0.01 * bool(evidence.limits)


@fails("check_an_unseen_category_is_refused")
class TakesUnseenForMissing(Sound):
    def log_prob(self, data):
        try:
            return super().log_prob(data)
        except DataError:
            return np.zeros(len(data))


@fails("check_weights_are_refused", "check_equal_weights_change_nothing")
class MinglesWeights(Sound):
    def fitting(self, data, *, weights=None, **options):
        return super().fitting(data, **(options if weights is None else self.more(options)))


@fails("check_predicted_fields_are_refused")
class PredictsAnything(Sound):
    def predict_proba(self, data, field):
        names = [f.name for f in self.schema if f.kind == "category" and f.name not in self.given]
        return super().predict_proba(data, field if field in names else names[0])


# Resuming


@fails("check_a_stopped_run_goes_on")
class StartsAgain(Sound):
    def fitting(self, data, *, folder=None, **options):
        return super().fitting(data, **options)


@fails("check_a_stopped_run_goes_on")
class RepeatsAStep(Sound):
    def _tensors(self, mixture, holes):
        return {k: v.float().double() for k, v in super()._tensors(mixture, holes).items()} if self.kept else (
            super()._tensors(mixture, holes))  # fmt: skip

    kept = False

    def _fit(self, data, weights, run):
        self.kept = run.folder is not None
        return super()._fit(data, weights, run)


@fails("check_progress_counts")
class TellsTwice(Sound):
    def _fit(self, data, weights, run):
        for progress in super()._fit(data, weights, run):
            yield progress
            yield progress


@fails("check_a_run_of_another_kind_is_refused")
class TakesAnyCheckpoint(Sound):
    def _fingerprint(self, data, weights, run, **more):
        return {}


# Saving


@fails("check_save_and_load")
class LosesTheHoles(Sound):
    def _state(self):
        return {k: v for k, v in super()._state().items() if k != "holes"}

    def _skeleton(self):
        return {k: v for k, v in super()._skeleton().items() if k != "holes"}

    def _restore(self, state, device):
        super()._restore({**state, "holes": torch.zeros(super()._skeleton()["holes"].shape).double()}, device)


@fails("check_loaded_conditionals")
class LosesTheMeans(Sound):
    def _restore(self, state, device):
        super()._restore({**state, "means": state["means"] + 0.1}, device)


@fails("check_saving_twice")
class NeverTheSame(Sound):
    clock = itertools.count()

    def _state(self):
        return {k: v + 1e-9 * next(self.clock) for k, v in super()._state().items()}


@fails("check_saved_weights_are_all_that_was_learned")
class AllocatesToCheck(Sound):
    def _skeleton(self):
        return {k: torch.empty_like(v, device="cpu") for k, v in super()._skeleton().items()}


@fails("check_a_loaded_model_can_be_fitted_again")
class TiresByLoading(Sound):
    tired = False

    def _restore(self, state, device):
        super()._restore(state, device)
        self.tired = True

    def fitting(self, data, **options):
        return super().fitting(data, **(self.more(options) if self.tired else options))


# Verbs


@fails("check_unfitted_use_is_refused")
class NeverAsks(Sound):
    def _require_fit(self, verb):
        pass


@fails("check_verbs_are_there_or_not")
class Stub(Sound):
    def _lacks(self, verb):
        return None

    def _encode(self, records):
        raise NotImplementedError


@fails("check_fit_returns_the_model")
class ReturnsNothing(Sound):
    def fit(self, data, **options):
        super().fit(data, **options)


@fails("check_density_is_named")
class Vague(Sound):
    def _density(self):
        return "good"


@fails("check_log_prob_is_one_number_a_record")
class HalfPrecision(Sound):
    def log_prob(self, data):
        return super().log_prob(data).astype(np.float32)


@fails("check_score_is_the_mean")
class ScoresTheSum(Sound):
    def score(self, data):
        return float(self.log_prob(data).sum())


@fails("check_draws_are_of_the_schema")
class DropsAField(Sound):
    def sample(self, n, **options):
        out = super().sample(n, **options)
        return out.select(out.names[1:])


@fails("check_draws_are_new")
class CopiesTheTrainingSet(Sound):
    def _fit(self, data, weights, run):
        self.__dict__["seen"] = data
        return super()._fit(data, weights, run)

    def _sample(self, n, given, generator_):
        rows = torch.randint(len(self.seen), (n,), generator=generator_).numpy()
        out = self.seen.take(rows)
        return out if given is None else overlay(out, given)


@fails("check_codes")
class DecodesOne(Sound):
    def _lacks(self, verb):
        return None

    def _encode(self, records):
        return self._responsibilities(records)

    def _decode(self, codes):
        return self.sample(1, seed=0)


@fails("check_responsibilities")
class TwiceAsResponsible(Sound):
    def _responsibilities(self, records):
        return 2 * super()._responsibilities(records)


@fails("check_predictions")
class Peeks(Sound):
    def _predict_proba(self, records, field):
        honest = super()._predict_proba(records, field)
        codes = self._encode_cells(records).codes[:, self._cells.factor_of(field)]
        seen = torch.nn.functional.one_hot(codes.clamp_min(0), honest.shape[1]) * (codes >= 0)[:, None]
        return (honest + seen) / (honest + seen).sum(1, keepdim=True)


@fails("check_parameters_in_the_manner_of_scikit_learn")
class HidesAParameter(Sound):
    def get_params(self, deep=True):
        return {k: v for k, v in super().get_params(deep).items() if k != "ridge"}


# Two data sets


class Moves(pf.Bridge):
    """A sound family that moves one data set onto another."""

    small = {"width": 8, "layers": 1, "refine": 1}  # noqa: RUF012


@fails("check_a_second_data_set_is_asked_for_or_refused")
class PassesOverTheSecond(Sound):
    def fit(self, data, *, to=None, **options):
        return super().fit(data, **options)


@fails("check_other_fields_of_the_second_are_refused")
class TakesWhatBothHave(Moves):
    def fit(self, data, *, to=None, **options):
        one, other = pf.read(data), pf.read(to)
        names = [name for name in one.names if name in other.names]
        return super().fit(one.select(names), to=other.select(names), **options)


@fails("check_a_path_leads_to_where_records_are_transported")
class StopsBeforeTheEnd(Moves):
    def path(self, data, **options):
        return super().path(data, **options)[:-1]


@fails("check_holes_where_none_were_are_refused")
class LeavesHolesWhereTheyAre(Moves):
    def transport(self, data, **options):
        try:
            return super().transport(data, **options)
        except DataError:
            return pf.read(data)


@fails("check_the_second_data_set_is_part_of_a_run")
class LearnsOneOnly(Moves):
    def fit(self, data, *, to=None, **options):
        return super().fit(data, to=data, **options)


# Pictures and texts


class Sees(pf.CLIP):
    """A sound family that compares pictures with texts."""

    small = {"width": 8}  # noqa: RUF012


@fails("check_pictures_and_texts_are_compared")
class FindsTheLeastSimilar(Sees):
    def search(self, query, data, k=10):
        rows, cosines = super().search(query, data, len(data))
        return rows[..., ::-1][..., :k], cosines[..., ::-1][..., :k]


@pytest.mark.parametrize("saboteur, name", SABOTEURS, ids=[f"{cls.__name__}-{name}" for cls, name in SABOTEURS])
def test_the_named_check_rejects(saboteur, name):
    with pytest.raises(AssertionError) as caught:
        check_model(lambda: saboteur(**saboteur.small), fit={"steps": 2}, only=name)
    assert str(caught.value).startswith(name), "the message begins with the name of the check"


@pytest.mark.parametrize("name", checks())
def test_the_sound_twin_passes(name):
    sound = next(
        (base for cls, of in SABOTEURS if of == name for base in (Moves, Sees, Sound) if issubclass(cls, base)), Sound
    )
    assert check_model(lambda: sound(**sound.small), fit={"steps": 2}, only=name) or name in {
        "check_codes",  # a mixture has no codes, and a mixture can hold anything fixed
        "check_what_cannot_be_given_is_refused",
        "check_options_out_of_range_are_refused",
    }


def test_every_check_has_a_saboteur():
    assert {name for _, name in SABOTEURS} == set(checks())
