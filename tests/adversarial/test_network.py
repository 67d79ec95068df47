"""Networks: shapes for records of every kind, packs, conditions, slopes, encoder."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import pushforward as pf
from pushforward.adversarial.network import Game
from pushforward.training.randomness import scope

RNG = np.random.default_rng(0)
N = 12


def image(*shape):
    return RNG.integers(0, 255, (N, *shape)).astype(np.uint8)


ROW = {"x": RNG.standard_normal(N), "y": RNG.gamma(2.0, 1.0, N), "town": ["Ulm", "Bonn", "Kiel"] * (N // 3)}
KINDS = {
    "8x8": {"image": image(8, 8)},
    "28x28": {"image": image(28, 28)},
    "32x32x3": {"image": image(32, 32, 3)},
    "64x64x3": {"image": image(64, 64, 3)},
    "5x9": {"image": image(5, 9)},
    "row": ROW,
    "numbers": {"x": ROW["x"], "y": ROW["y"]},
    "words": {"town": ROW["town"]},
    "both": {"image": image(8, 8), **ROW},
}


def game(kind, given=(), **options):
    """A network prepared for data of a kind, the batch that it was prepared with, and its sizes."""
    records = pf.read(KINDS[kind] | {"label": ["a", "b", None] * (N // 3)} if given else KINDS[kind])
    rest, told = records.schema.without(given), records.schema.select(given)
    with scope(0):
        network = Game(rest, told, **({"latent": 6, "width": 8, "layers": 1} | options))
    cells = network.flat.vector.cells.encode(records.select(network.flat.vector.cells.schema.names))
    batch = {"numbers": cells.numbers, "codes": cells.codes, "holes": cells.holes}
    if network.flat.shape:
        batch["image"] = torch.tensor(records.to_numpy()["image"]).view(N, *_last(network.flat.shape))
    if network.condition is not None:
        batch |= network.condition.encode(records)
    network.prepare(batch, source())
    return network, batch


def _last(shape):
    return (*shape[1:], shape[0])


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def stirred(module, seed=1, by=0.1):
    """The module with all weights moved, so that nothing begins as 0."""
    generator = source(seed)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(by * torch.randn(weight.shape, generator=generator))
    return module


def drawn(network, n=N, seed=2, told=None):
    z = torch.randn(n, network.generator.latent, generator=source(seed))
    return network.generator(z, told, source(seed)), z


@pytest.mark.parametrize("given", [(), ("label",)])
@pytest.mark.parametrize("kind", KINDS)
def test_shapes(kind, given):
    network, batch = game(kind, given, inference=True)
    real, _ = network.flat(batch, source())
    told = network.embed(batch)
    fake, z = drawn(network, told=told)
    assert fake.shape == real.shape == (N, network.flat.size)
    d = network.discriminator
    heard = None if d.condition is None else d.condition(batch)
    assert d(torch.cat([fake, z], 1), heard).shape == (N,)
    assert network.encoder(real, told).shape == (N, 6)


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_matters(kind):
    """After a stir, all weights of all networks have slopes."""
    network, batch = game(kind, ("label",), inference=True)
    stirred(network)
    told, heard = network.embed(batch), network.discriminator.condition(batch, torch.arange(N)[:, None] % 2 == 0)
    real, _ = network.flat(batch, source())
    fake, z = drawn(network, told=told)
    codes = network.encoder(real, told)
    scores = network.discriminator(
        torch.cat([torch.cat([real, codes], 1), torch.cat([fake, z], 1)]), heard.repeat(2, 1)
    )
    (scores.square().sum() + told.sum()).backward()
    still = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    # a condition that is always told has no use for the vector of one that is not
    assert still == ["generator.condition.absent"]


@pytest.mark.parametrize("kind", ["8x8", "32x32x3", "both"])
def test_pixels_stay_within_their_range(kind):
    network, _ = game(kind)
    fake, _ = drawn(stirred(network, by=1.0))
    picture, _ = network.flat.inverse(fake)
    assert picture.abs().max() <= 1 + network.flat.gap + 1e-4 and picture.std() > 0.1


def test_what_is_beside_a_picture_is_judged_with_it():
    """A sum of scores of the two would not change by the row what a change of the picture does."""
    network, batch = game("both")
    d = stirred(network.discriminator)
    real, _ = network.flat(batch, source())
    pixels = network.flat.pixels
    other = real.roll(1, 0)
    with torch.no_grad():
        both, neither = d(other, None), d(real, None)
        picture, row = (
            d(torch.cat([a[:, :pixels], b[:, pixels:]], 1), None) for a, b in ((other, real), (real, other))
        )
    assert ((both - picture) - (row - neither)).abs().max() > 1e-3


@pytest.mark.parametrize("given", [(), ("label",)])
@pytest.mark.parametrize("kind", ["8x8", "row", "both"])
def test_a_pack_is_judged_as_one(kind, given):
    network, batch = game(kind, given, pack=3)
    d = stirred(network.discriminator)
    real, _ = network.flat(batch, source())
    heard = None if d.condition is None else d.condition(batch)
    with torch.no_grad():
        scores = d(real, heard)
        moved = real.clone()
        moved[4] += 1.0  # of the second pack
        assert scores.shape == (N // 3,) and torch.equal(scores != d(moved, heard), torch.tensor([0, 1, 0, 0]).bool())


def test_a_pack_sees_that_records_are_alike():
    """No sum of scores of single records can: D(a, b) - D(a, a) - (D(b, b) - D(b, a)) would be 0."""
    network, batch = game("row", pack=2)
    d = stirred(network.discriminator, by=0.3)
    real, _ = network.flat(batch, source())
    a, b = real[:1], real[1:2]

    def said(*rows):
        return d(torch.cat(rows), None)

    assert (said(a, b) - said(a, a) - said(b, b) + said(b, a)).abs() > 1e-3


def test_conditions_are_projected_unless_records_are_packed():
    """D(x, c) = w·φ(x) + e(c)·V φ(x) is affine in e; a pack reads its conditions along, which is not."""
    for pack, affine in ((1, True), (2, False)):
        network, batch = game("row", ("label",), pack=pack)
        d = stirred(network.discriminator, by=0.5)
        assert d.projects == affine
        x, _ = network.flat(batch, source())
        one, two = (torch.randn(N, 64, generator=source(i)) for i in (3, 4))
        middle = d(x, (one + two) / 2) - (d(x, one) + d(x, two)) / 2
        assert (middle.abs().max() < 1e-4) == affine


@pytest.mark.parametrize("pack", [1, 2])
def test_conditions_matter_to_both_sides(pack):
    network, batch = game("row", ("label",), pack=pack)
    stirred(network)
    other = batch | {
        "given.codes": 1 - batch["given.codes"].clamp_min(0),
        "given.holes": torch.zeros_like(batch["given.holes"]),
    }
    x, _ = network.flat(batch, source())
    d = network.discriminator
    assert not torch.equal(d(x, d.condition(batch)), d(x, d.condition(other)))
    one, two = (drawn(network, told=network.embed(each))[0] for each in (batch, other))
    assert not torch.equal(one, two)


LAYERS = (nn.Linear, nn.Conv2d)


@pytest.mark.parametrize("given", [(), ("label",)])
@pytest.mark.parametrize("kind", KINDS)
def test_spectral_normalisation_keeps_every_layer_to_slope_one(kind, given):
    network, batch = game(kind, given, spectral=True)
    d = network.discriminator.train()
    with torch.no_grad():
        for weight in d.parameters():
            weight.mul_(20.0)
    x, _ = network.flat(batch, source())
    heard = None if d.condition is None else d.condition(batch)
    with torch.no_grad():
        for _ in range(100):  # a step of power iteration each
            scores = d(x, heard)
    assert scores.isfinite().all()
    layers = [layer for layer in d.reader.modules() if isinstance(layer, LAYERS)]
    assert len(layers) > 2
    for layer in layers:
        largest = torch.linalg.svdvals(layer.weight.detach().flatten(1)).max()
        assert 0.5 < largest < 1.05


def test_without_it_layers_are_as_steep_as_they_come():
    network, _ = game("8x8")
    with torch.no_grad():
        for weight in network.discriminator.parameters():
            weight.mul_(20.0)
    layers = [layer for layer in network.discriminator.reader.modules() if isinstance(layer, LAYERS)]
    assert max(torch.linalg.svdvals(layer.weight.detach().flatten(1)).max() for layer in layers) > 2


@pytest.mark.parametrize("kind", ["8x8", "row", "both"])
def test_layers_that_begin_as_nothing_are_normalised_to_numbers(kind):
    network, batch = game(kind, spectral=True)
    d = network.discriminator
    x = network.flat(batch, source())[0].requires_grad_()
    (slope,) = torch.autograd.grad(d(x, None).sum(), x, create_graph=True)
    slope.square().sum().backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in d.parameters())


@pytest.mark.parametrize("spectral", [False, True])
def test_a_copy_plays_on_its_own(spectral):
    """Trials of the penalty copy a network and must leave the first one as it is."""
    network, batch = game("both", spectral=spectral)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    other = copy.deepcopy(network)
    x, _ = other.flat(batch, source())
    fake, _ = drawn(other)
    (other.discriminator.train()(x, None) - other.discriminator(fake, None)).sum().backward()
    with torch.no_grad():
        for weight in other.parameters():
            weight.add_(0.1)
    other.discriminator.gamma.fill_(3.0)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())


@pytest.mark.parametrize("kind", ["8x8", "row", "both"])
def test_a_network_can_be_built_without_memory(kind):
    """`load` compares names and shapes with such a one before it reads a weight."""
    records = pf.read(KINDS[kind])
    with torch.device("meta"):
        bare = Game(records.schema, records.schema.select(()), latent=6, width=8, layers=1, spectral=True)
    network, _ = game(kind, spectral=True)
    state = network.state_dict()
    assert {k: v.shape for k, v in bare.state_dict().items()} == {k: v.shape for k, v in state.items()}


def test_signs_let_draws_fall_apart():
    """The row of a generator may jump where a number of z changes its sign."""
    network, _ = game("numbers")
    stirred(network.generator, by=0.5)
    z = torch.randn(1, 6, generator=source(3))
    near = z.clone()
    z[0, 0], near[0, 0] = 1e-6, -1e-6
    one, two = (network.generator(each, None, None) for each in (z, near))
    assert (one - two).abs().max() > 1e-2
