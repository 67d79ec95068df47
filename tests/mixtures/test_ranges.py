"""Ranges and sets as evidence: probabilities and draws against closed forms."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm, truncnorm

import pushforward as pf
from pushforward.mixtures import boxes, truncated

N = 20_000
KINDS = ["full", "tied", "diagonal", "spherical", "factors"]


def fitted(x, kind="full", components=3):
    return pf.GaussianMixture(components=components, covariance=kind, factors=2).fit(x, steps=15)


def drawn(records):
    return np.stack(list(records.to_numpy().values()), 1)


# The normal distribution itself


@pytest.mark.parametrize(
    "low, high", [(-1, 1), (5, 6), (-300, -299), (40, np.inf), (-np.inf, -1e4), (1e-9, 2e-9), (-8, 9)]
)
def test_log_interval_is_scipys(low, high):
    found = truncated.log_interval(*(torch.tensor(v, dtype=torch.float64) for v in (low, high))).item()
    a, b = (low, high) if low + high <= 0 else (-high, -low)
    upper, lower = norm.logcdf(b), norm.logcdf(a)
    assert found == pytest.approx(upper + np.log(-np.expm1(lower - upper)), rel=1e-7)


@pytest.mark.parametrize("low, high", [(-1, 1), (-0.2, 3), (2, 2.1), (5, np.inf), (-np.inf, -30), (-np.inf, np.inf)])
def test_draws_within_a_range_have_its_quantiles(low, high):
    u = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    z = truncated.draw(torch.tensor(low).double(), torch.tensor(high).double(), u)
    np.testing.assert_allclose(truncnorm.ppf(u.numpy(), low, high), z.numpy(), rtol=1e-6, atol=1e-8)
    assert (z >= low).all() and (z <= high).all()


def test_the_quantile_of_a_logarithm_inverts_it():
    log = -torch.logspace(-3, 6, 200, dtype=torch.float64)
    np.testing.assert_allclose(torch.special.log_ndtr(truncated.log_quantile(log)), log, rtol=1e-10)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_boxes_have_the_probability_that_scipy_integrates(d):
    rng = np.random.default_rng(d)
    root = rng.standard_normal((d, d))
    covariance, mean = root @ root.T + 0.1 * np.eye(d), rng.standard_normal(d)
    low, high = mean - rng.random(d) * 2, mean + rng.random(d) * 2
    exact = multivariate_normal(mean, covariance, abseps=1e-9, releps=1e-9, maxpts=10**6).cdf(high, lower_limit=low)
    tensors = [torch.from_numpy(v) for v in (mean[None, None], covariance[None], low, high)]
    assert np.exp(boxes.log_box(*tensors).item()) == pytest.approx(exact, rel=1e-3 if d > 2 else 1e-6)


# In the family


@pytest.mark.parametrize("kind", KINDS)
def test_the_probability_of_a_range_is_the_mixture_of_distribution_functions(clusters, kind):
    model = fitted(clusters, kind)
    deviation = np.sqrt(np.diagonal(model.covariances, axis1=1, axis2=2))[:, 1]
    weights = model.mixture.weights.numpy()
    for low, high in ((-1.0, 4.0), (20.0, None), (None, -25.0)):
        ends = [
            norm.cdf(np.inf * s if v is None else v, model.means[:, 1], deviation) for v, s in ((low, -1), (high, 1))
        ]
        found = np.exp(model.log_prob({"x1": pf.between(low, high)})[0])
        assert found == pytest.approx(weights @ (ends[1] - ends[0]), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_draws_in_a_range_are_those_of_a_large_sample_that_lie_within(clusters, kind):
    model = fitted(clusters, kind)
    free = drawn(model.sample(400_000, seed=3))
    for limits in ({0: (1.0, 7.0)}, {0: (-1.0, 6.0), 1: (-2.0, 8.0)}):
        inside = np.all([(free[:, i] >= a) & (free[:, i] <= b) for i, (a, b) in limits.items()], 0)
        wanted = free[inside]
        y = drawn(model.sample(N, given={f"x{i}": pf.between(a, b) for i, (a, b) in limits.items()}, seed=4))
        for i, (a, b) in limits.items():
            assert (y[:, i] >= a).all() and (y[:, i] <= b).all()
        error = np.sqrt(wanted.var(0) / len(wanted) + y.var(0) / N)
        assert (np.abs(y.mean(0) - wanted.mean(0)) <= 5 * error).all()
        products = [(v[:, :, None] * v[:, None]).reshape(len(v), -1) for v in (wanted, y)]
        error = np.sqrt(products[0].var(0) / len(wanted) + products[1].var(0) / N)
        assert (np.abs(products[0].mean(0) - products[1].mean(0)) <= 5 * error).all()
        log = model.log_prob({f"x{i}": pf.between(a, b) for i, (a, b) in limits.items()})[0]
        share = inside.mean()
        assert abs(np.exp(log) - share) <= 5 * np.sqrt(share / len(free))


def test_a_range_far_out_costs_nothing_and_fails_never(clusters):
    model = fitted(clusters)
    out = drawn(model.sample(1000, given={"x0": pf.between(500, None)}, seed=0))
    assert (out[:, 0] >= 500).all() and out[:, 0].max() < 510 and np.isfinite(out).all()


def test_a_range_beside_values_follows_the_chain_rule(clusters):
    """p(x0, x1 in R), integrated over a range of x0, is the probability of both ranges."""
    model = fitted(clusters)
    axis = np.linspace(-2, 6, 4001)
    beside = model._log_evidence(_evidence(model, {"x0": axis, "x1": pf.between(0, 3)})).numpy()
    both = model.log_prob({"x0": pf.between(-2, 6), "x1": pf.between(0, 3)})[0]
    assert np.log(np.trapezoid(np.exp(beside), axis)) == pytest.approx(both, abs=1e-5)
    alone = model._log_evidence(_evidence(model, {"x0": axis})).numpy()
    assert (beside <= alone + 1e-12).all()


def _evidence(model, given):
    from pushforward.evidence import evidence

    n = next((len(v) for v in given.values() if hasattr(v, "__len__")), 1)
    return evidence(given, n, model.schema, model.schema.names, "")


def test_a_range_of_one_record_at_a_time_is_that_of_many(clusters):
    model = fitted(clusters)
    given = {"x0": clusters[:5, 0], "x1": pf.between(-1, 3), "x2": pf.between(0, None)}
    whole = model._log_evidence(_evidence(model, given)).numpy()
    single = [model._log_evidence(_evidence(model, {**given, "x0": clusters[i : i + 1, 0]})).item() for i in range(5)]
    np.testing.assert_allclose(whole, single, rtol=1e-10)


def test_sets_of_numbers_are_chosen_by_their_density(clusters):
    model = fitted(clusters)
    values = [0.0, 4.0, 9.0]
    each = np.array([model._log_evidence(_evidence(model, {"x0": [v]})).item() for v in values])
    assert model.log_prob({"x0": pf.among(values)})[0] == pytest.approx(np.logaddexp.reduce(each), rel=1e-12)
    y = drawn(model.sample(N, given={"x0": pf.among(values)}, seed=0))[:, 0]
    share = np.exp(each - np.logaddexp.reduce(each))
    found = np.array([(y == v).mean() for v in values])
    assert found.sum() == 1 and (np.abs(found - share) <= 5 * np.sqrt(share * (1 - share) / N)).all()


def test_too_many_combinations_are_refused_by_name(clusters):
    model = fitted(clusters)
    many = pf.among(list(np.linspace(0, 1, 70)))
    with pytest.raises(
        pf.ArgumentError, match=r"4,900 combinations, more than 4,096: x0 \(70\), x1 \(70\); name fewer"
    ):
        model.sample(2, given={"x0": many, "x1": many})


@pytest.fixture(scope="module")
def visits():
    """Whole numbers with a heap at 0, a price with holes, and a word with holes."""
    rng = np.random.default_rng(0)
    n = 4000
    k = rng.random(n) < 0.4
    count = np.where(rng.random(n) < 0.5, 0, rng.poisson(4 + 6 * k))
    price = np.where(rng.random(n) < 0.2 + 0.3 * k, np.nan, 20 + 10 * k + rng.standard_normal(n))
    town = [None if u < 0.3 else ("Ulm" if v else "Bonn") for u, v in zip(rng.random(n), k, strict=True)]
    data = {"count": count, "price": price, "town": town}
    return pf.GaussianMixture(components=3).fit(pf.read(data, atoms={"count": [0.0]})), data


def test_levels_holes_and_atoms_are_as_frequent_as_in_a_large_sample(visits):
    model, _ = visits
    free = model.sample(200_000, seed=1)
    count, town = free.column("count").to_numpy(), free.column("town").to_pylist()
    inside = (count <= 3) & np.isin(np.array(town, dtype=object), [None, "Ulm"])
    given = {"count": pf.between(None, 3), "town": pf.among("Ulm", None)}
    out = model.sample(N, given=given, seed=2)
    drawn_count, drawn_town = out.column("count").to_numpy(), np.array(out.column("town").to_pylist(), dtype=object)
    assert drawn_count.max() <= 3 and set(drawn_town) == {None, "Ulm"}
    for mine, theirs in (
        ((drawn_count == 0), count[inside] == 0),
        (drawn_town == "Ulm", np.array(town)[inside] == "Ulm"),
    ):
        assert abs(mine.mean() - theirs.mean()) < 0.02
    assert np.exp(model.log_prob(given)[0]) == pytest.approx(inside.mean(), abs=0.02)


def test_among_none_is_a_hole_and_the_rest_follows(visits):
    model, data = visits
    out = model.sample(N, given={"price": pf.among(None)}, seed=0)
    assert out.column("price").null_count == N
    assert np.exp(model.log_prob({"price": pf.among(None)})[0]) == pytest.approx(
        np.isnan(data["price"]).mean(), abs=1e-6
    )
    gone = np.isnan(data["price"])
    assert out.column("count").to_numpy().mean() == pytest.approx(data["count"][gone].mean(), rel=0.05)


def test_a_range_on_the_grid_reaches_half_a_step_beyond_its_ends(visits):
    model, _ = visits
    rng = np.random.default_rng(0)
    x = np.rint(rng.normal(50, 10, 5000)).astype(int)
    one = pf.GaussianMixture(components=1).fit({"x": x})
    exact = norm.cdf([44.5, 60.5], one.means[0, 0], np.sqrt(one.covariances[0, 0, 0]))
    assert np.exp(one.log_prob({"x": pf.between(45, 60)})[0]) == pytest.approx(exact[1] - exact[0], rel=1e-9)
    out = one.sample(2000, given={"x": pf.between(45, 46)}, seed=0).to_numpy()["x"]
    assert set(out) == {45, 46}
    assert model.sample(50, given={"count": pf.between(0, 0)}, seed=0).to_numpy()["count"].tolist() == [0] * 50


def test_what_is_impossible_is_refused():
    y = np.array([1.0, 2.0, np.nan, 3.0])
    model = pf.GaussianMixture(components=1).fit({"x": [1.0, 2.0, 3.0, 4.0], "y": y}, weights=[1, 1, 0, 1], steps=2)
    with pytest.raises(pf.ArgumentError, match="probability zero"):
        model.sample(2, given={"y": pf.among(None)})


def test_two_atoms_side_by_side_do_not_swap_a_draw():
    from pushforward.data import Number
    from pushforward.data.encodings.atoms import edge, off_atoms

    field = Number(name="n", type="int64", resolution=1.0, low=-5, high=9, atoms=(3.0, 2.0))
    values = np.linspace(0, 6, 601)
    moved = np.rint(off_atoms(values, field))
    assert (np.diff(moved) >= 0).all() and not np.isin(moved, [2, 3]).any()
    for high in (0, 1, 2, 3, 4):  # what is let through ends where what goes beyond begins
        inside = values[moved <= high]
        assert inside.max() <= edge(high, field, 1) + 1e-9 and values[moved > high].min() >= edge(high, field, 1) - 1e-2


@pytest.mark.parametrize("shared", [True, False], ids=["tabled", "resampled"])
def test_pairs_drawn_in_a_box_have_the_moments_of_the_box(shared):
    covariance = torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=torch.float64)
    low, high = torch.tensor([0.5, -3.0]).double(), torch.tensor([2.0, -0.1]).double()
    n = 40_000
    means = torch.zeros(n, 2, dtype=torch.float64)
    if not shared:
        means[0] += 1e-12
    drawn = boxes.draw_box(means, covariance, low, high, torch.Generator().manual_seed(0)).numpy()
    x, y = np.meshgrid(np.linspace(0.5, 2, 1501), np.linspace(-3, -0.1, 1501), indexing="ij")
    density = np.exp(-0.5 * (x**2 - 1.6 * x * y + y**2) / 0.36)
    density /= density.sum()
    for moment in (lambda x, y: x, lambda x, y: y, lambda x, y: x * y, lambda x, y: x**2):
        exact = (density * moment(x, y)).sum()
        spread = np.sqrt((density * (moment(x, y) - exact) ** 2).sum())
        assert abs(moment(*drawn.T).mean() - exact) < 5 * spread / np.sqrt(n) + 2e-3


@pytest.mark.parametrize("rho", [0.3, -0.9, 0.999])
@pytest.mark.parametrize("low, high", [((-1, -1), (1, 2)), ((2, -np.inf), (np.inf, 0.5)), ((4, 4.2), (5, 4.5))])
def test_two_ranges_have_the_probability_that_quadrature_gives(rho, low, high):
    """∫ φ(x) P(low < y < high | x) dx, adaptively, with the edges of the second range as break points."""
    deviation = np.sqrt(1 - rho**2)

    def slice_(x):
        a, b = (low[1] - rho * x) / deviation, (high[1] - rho * x) / deviation
        a, b = (a, b) if a + b <= 0 else (-b, -a)
        return norm.pdf(x) * (norm.cdf(b) - norm.cdf(a))

    ends = np.array([max(low[0], -12), min(high[0], 12)])
    breaks = [edge / rho for edge in (low[1], high[1]) if np.isfinite(edge) and ends[0] < edge / rho < ends[1]]
    exact = quad(slice_, *ends, points=breaks or None, epsabs=0, epsrel=1e-11, limit=500)[0]
    covariance = torch.tensor([[[1.0, rho], [rho, 1.0]]], dtype=torch.float64)
    bounds = [torch.tensor(side, dtype=torch.float64) for side in (low, high)]
    found = boxes.log_box(torch.zeros(1, 1, 2).double(), covariance, *bounds).exp().item()
    assert found == pytest.approx(exact, rel=1e-6, abs=1e-25)


@pytest.mark.parametrize("rho", [0.5, 0.999])
def test_the_first_of_two_numbers_has_the_distribution_function_of_the_box(rho):
    covariance = torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64)
    low, high = torch.tensor([-1.0, 0.4]).double(), torch.tensor([3.0, 0.6]).double()
    n = 100_000
    drawn = boxes.draw_box(torch.zeros(n, 2).double(), covariance, low, high, torch.Generator().manual_seed(1)).numpy()
    assert (drawn >= low.numpy()).all() and (drawn <= high.numpy()).all()
    x = np.linspace(-1, 3, 400_001)
    deviation = np.sqrt(1 - rho**2)
    density = norm.pdf(x) * (norm.cdf((0.6 - rho * x) / deviation) - norm.cdf((0.4 - rho * x) / deviation))
    whole = np.cumsum(density) / density.sum()
    ranked = np.interp(np.sort(drawn[:, 0]), x, whole)
    assert np.abs(ranked - (np.arange(n) + 0.5) / n).max() < 2.2 / np.sqrt(n)  # Kolmogorov's bound, p < 1e-4
