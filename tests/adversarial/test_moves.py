"""The two moves: who is moved by what, weights, packs, mismatched conditions, the dial of the augmentation."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.adversarial.augment import Augment
from pushforward.adversarial.losses import LOSSES
from pushforward.adversarial.moves import EARLY, MOST, SETTLING, Moves, _accepted, _whole
from pushforward.adversarial.network import BLUR, WAVES, Game
from pushforward.adversarial.penalties import PENALTIES
from pushforward.training.randomness import scope

N = 32


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def laid(pictures=False, given=(), **options):
    rng = np.random.default_rng(0)
    data = {"image": rng.integers(0, 255, (N, 8, 8)).astype(np.uint8)} if pictures else {}
    data |= {"x": rng.standard_normal(N), "y": rng.standard_normal(N)} if not pictures else {}
    records = pf.read(data | {"label": ["a", "b"] * (N // 2)} if given else data)
    with scope(0):
        rest, told = records.schema.without(given), records.schema.select(given)
        network = Game(rest, told, **({"latent": 4, "width": 8, "layers": 1} | options))
        with torch.no_grad():
            for weight in network.parameters():
                weight.add_(0.1 * torch.randn_like(weight))
    cells = network.flat.vector.cells.encode(records.select(network.flat.vector.cells.schema.names))
    batch = {"numbers": cells.numbers, "codes": cells.codes, "holes": cells.holes}
    if pictures:
        batch["image"] = torch.tensor(data["image"])[..., None]
    if given:
        batch |= network.condition.encode(records)
    network.prepare(batch, source())
    network.discriminator.gamma.fill_(1.0)
    return network, batch


def moves_of(network, loss="relativistic", penalty="zero-centred", **options):
    return Moves(network, LOSSES[loss](), PENALTIES[penalty](), **options)


def slopes(module):
    return {name for name, weight in module.named_parameters() if weight.grad is not None and weight.grad.any()}


@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_each_side_is_moved_by_its_own_loss_alone(loss, inference):
    network, batch = laid(given=("label",), inference=inference)
    moves = moves_of(network, loss)
    moves.generate(batch, source()).backward()
    assert not slopes(network.discriminator) and slopes(network.generator)
    assert not inference or slopes(network.encoder)
    assert all(weight.requires_grad for weight in network.discriminator.parameters())
    network.zero_grad(set_to_none=True)
    moves.discriminate(batch, source())[0].backward()
    assert slopes(network.discriminator) and not slopes(network.generator)
    assert not inference or not slopes(network.encoder)


@pytest.mark.parametrize("pack", [1, 2])
@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize("penalty", ["zero-centred", "r1", "none"])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_generator_follows_the_slopes_of_its_loss(loss, penalty, inference, pack):
    """One pass serves both sides: the way through D is that of a pass of its own."""
    network, batch = laid(inference=inference, pack=pack)
    moves, d = moves_of(network, loss, penalty), network.discriminator
    sides = [*network.generator.parameters(), *(network.encoder.parameters() if inference else ())]
    found = moves.generate(batch, source())
    ours = torch.autograd.grad(found, sides, allow_unused=True)
    drawing = source()
    real, _ = network.flat(batch, drawing)
    z = torch.randn(N, network.generator.latent, generator=drawing)
    fake = network.generator(z, None, drawing)
    if inference:
        real, fake = torch.cat([real, network.encoder(real, None)], 1), torch.cat([fake, z], 1)
    wanted = moves._generators_terms(d(real, None), d(fake, None)).mean()
    theirs = torch.autograd.grad(wanted, sides, allow_unused=True)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None:
            torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("inference", [False, True])
def test_some_numbers_are_judged_through_noise_on_both_sides(inference):
    network, batch = laid(inference=inference, blurred=("y",))
    plain, _ = laid(inference=inference)
    at, codes = list(network.flat.vector.cells.columns).index("y"), 4 if inference else 0
    for one in (network, plain):
        moves, source_ = moves_of(one), source()
        moves.generate(batch, source_)
        drawing = source()
        real, _ = one.flat(batch, drawing)
        fake = one.generator(torch.randn(N, one.generator.latent, generator=drawing), None, drawing)
        assert moves._table.judged.real.shape == (N, real.shape[1] + codes)
        for shown, own in ((moves._table.judged.real, real), (moves._table.judged.fake, fake)):
            added = (shown[:, : real.shape[1]] - own).detach()
            assert bool(added.any()) == (one is network)
            assert not added[:, torch.arange(added.shape[1]) != at].any()
            if one is network:
                assert 0.6 * BLUR < added[:, at].std() < 1.4 * BLUR  # of 20 or more


def test_what_is_blurred_is_read_without_waves():
    network, _ = laid(blurred=("y",))
    plain, _ = laid()
    inputs = [one.discriminator.reader.body.first.in_features for one in (network, plain)]
    assert inputs[1] - inputs[0] == WAVES


@pytest.mark.parametrize("loss", LOSSES)
def test_the_encoder_plays_against_the_discriminator(loss):
    """A step of generator and encoder makes D worse at telling (x, E(x)) from (G(z), z), of either side."""
    network, batch = laid(inference=True)
    moves = moves_of(network, loss, "none")
    for side in (network.encoder, network.generator):
        network.zero_grad(set_to_none=True)
        moves.generate(batch, source()).backward()
        before = moves.discriminate(batch, source())[0].item()
        with torch.no_grad():
            for weight in side.parameters():
                if weight.grad is not None:
                    weight.sub_(1e-2 * weight.grad / (1e-12 + weight.grad.norm()))
        moves.generate(batch, source())
        assert moves.discriminate(batch, source())[0].item() > before


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalty", PENALTIES)
def test_what_is_told_and_what_is_minimised(loss, penalty):
    """The loss is E of the loss's terms and γ/2 of the penalty's, with γ larger in the beginning."""
    network, batch = laid()
    moves, d = moves_of(network, loss, penalty), network.discriminator
    moves.generate(batch, source())
    judged = moves._table.judged
    total, facts = moves.discriminate(batch, source(1))
    plain = LOSSES[loss]().discriminator(d(judged.real, None), d(judged.fake, None)).mean()
    gamma = 1 + EARLY * np.exp(-1 / SETTLING)
    slopes = sum(value.item() ** 2 for name, value in facts.items() if name.startswith(("slope/", "penalty/")))
    assert total.item() == pytest.approx(plain.item() + gamma / 2 * slopes, rel=1e-3, abs=1e-4)
    assert {"divergence", "accuracy/real", "accuracy/drawn"} <= set(facts)


def test_a_discriminator_that_knows_is_told_to():
    network, batch = laid()
    moves = moves_of(network, "non-saturating", "none")
    optimizer = torch.optim.Adam(network.discriminator.parameters(), 1e-2)
    for _ in range(60):
        moves.generate(batch, source())
        loss, facts = moves.discriminate(batch, source())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert facts["accuracy/real"] > 0.9 and facts["accuracy/drawn"] > 0.9 and facts["divergence"] > 0.4
    assert network.discriminator.seen == 60 and network.discriminator.lead > 0.3


@pytest.mark.parametrize("side", ["generate", "discriminate"])
@pytest.mark.parametrize("pack", [1, 2])
def test_weights_count_as_often(side, pack):
    """A record of weight 0 is as if it were not there, and the others count double."""
    network, batch = laid(pack=pack)
    moves = moves_of(network, "non-saturating", "r1")
    half = torch.arange(N) < N // 2

    moves.generate(batch, source())
    real, fake = moves._table.judged.real, moves._table.judged.fake

    def with_points(rows, weight):
        moves._table = moves._laid(real[rows], fake[rows], None, weight, source(2))
        if side == "generate":
            return moves._followed(moves._table, real[rows], fake[rows])
        network.discriminator.seen.zero_()
        return moves.discriminate({}, source(2))[0]

    weighed = with_points(slice(None), 2.0 * half)
    torch.testing.assert_close(weighed, with_points(slice(N // 2), None))


def test_packs_are_made_of_records_that_were_accepted():
    """As often as they weigh; those of weight 0 never, which the mean of a pack would have let in."""
    n = 6000
    weight = torch.tensor([0.0, 1.0, 3.0]).repeat(n // 3)
    batch = {"codes": torch.arange(n)[:, None], "weight": weight}
    taken = _accepted(batch, source())
    counts = torch.bincount(taken["codes"][:, 0] % 3, minlength=3)
    k, p = n // 3, 1 / 3
    assert "weight" not in taken and counts[0] == 0 and counts[2] == k
    assert abs(float(counts[1]) - k * p) < 5 * (k * p * (1 - p)) ** 0.5
    assert len(_accepted({"codes": batch["codes"]}, source())["codes"]) == n
    nothing = {"codes": batch["codes"], "weight": torch.zeros(n)}
    assert set(_accepted(nothing, source())) == set(nothing)


@pytest.mark.parametrize("pack", [1, 2])
def test_records_without_weight_are_never_in_a_pack(pack):
    """The data that a discriminator is shown, or that counts, are those that weigh."""
    network, batch = laid(pack=pack)
    weight = (batch["numbers"][:, 0] > 0).float()
    moves = moves_of(network)
    moves.generate(batch | {"weight": 2 * weight}, source())
    table = moves._table
    seen = table.judged.real[:, 0] > network.flat(batch)[0][weight > 0, 0].min() - 1e-3
    assert seen.all() if table.weight is None else torch.equal(seen, table.weight > 0)
    assert (table.weight is None) == (pack > 1)


def test_packs_are_filled():
    batch = {"codes": torch.arange(10)[:, None], "numbers": torch.arange(10.0)[:, None]}
    full = _whole(batch, 4)
    assert full["codes"][:, 0].tolist() == [*range(10), 0, 1]
    assert torch.equal(full["numbers"][:, 0], full["codes"][:, 0].float())
    assert _whole(batch, 5)["codes"] is batch["codes"]
    assert len(_whole(batch, 64)["codes"]) == 64


def test_data_and_draws_meet_the_same_changes():
    """Of one distribution and with one probability, once for both moves; no record is looked at."""
    network, batch = laid(pictures=True)
    asked = []

    class Told(Augment):
        def drawn(self, n, p, generator):
            asked.append((n, float(p)))
            return super().drawn(n, p, generator)

    moves = moves_of(network, augment=Told((1, 8, 8)))
    network.discriminator.augmentation.fill_(0.3)
    moves.generate(batch, source())
    moves.discriminate(batch, source())
    assert asked == [(N, pytest.approx(0.3))] * 2


@pytest.mark.parametrize("ahead", [True, False])
def test_the_dial_of_the_changes_follows_the_lead(ahead):
    network, batch = laid(pictures=True)
    d = network.discriminator
    moves = moves_of(network, augment=Augment((1, 8, 8)), adaptive=True)
    d.augmentation.fill_(0.4)
    way = []
    for _ in range(5):
        d.lead.fill_(1.0 if ahead else -1.0)
        moves.generate(batch, source())
        way.append(float(moves.discriminate(batch, source())[1]["augmentation"]))
    assert way == sorted(way, reverse=not ahead) and way[0] != way[-1]
    for start, end in ((MOST, MOST), (0.0, 0.0)):
        d.augmentation.fill_(start)
        d.lead.fill_(1.0 if start else -1.0)
        moves.generate(batch, source())
        moves.discriminate(batch, source())
        assert float(d.augmentation) == pytest.approx(end)


def test_a_dial_that_is_set_stays():
    network, batch = laid(pictures=True)
    moves = moves_of(network, augment=Augment((1, 8, 8)))
    network.discriminator.augmentation.fill_(0.25)
    for _ in range(3):
        moves.generate(batch, source())
        moves.discriminate(batch, source())
    assert float(network.discriminator.augmentation) == 0.25


def test_mismatched_conditions_teach_which_records_they_belong_to():
    """Draws equal data here, so only conditions of others can teach D anything: it learns x > 0 under `a` alone."""
    torch_source, n = source(), 256
    label = torch.arange(n) % 2
    x = torch.where(label == 0, 1.0, -1.0) + 0.1 * torch.randn(n, generator=torch_source)
    records = pf.read({"x": x.double().numpy(), "label": ["ab"[i] for i in label.tolist()]})
    found = {}
    for share in (0.0, 0.5):
        with scope(0):
            given = records.schema.select(["label"])
            network = Game(records.schema.select(["x"]), given, latent=2, width=16, layers=1)
        batch = {"numbers": x.double()[:, None], "codes": torch.empty(n, 0).long(), "holes": torch.empty(n, 0).bool()}
        batch |= network.condition.encode(records)
        network.prepare(batch, source())
        d = network.discriminator
        moves = moves_of(network, "non-saturating", "none", mismatched=share)
        optimizer = torch.optim.Adam(d.parameters(), 5e-3)
        for step in range(100):
            real, _ = network.flat(batch, source(step))
            rows = torch.randperm(n, generator=source(step))
            heard = {k: v[rows] for k, v in batch.items()}
            told, unlike = d.condition(heard), d.condition.unlike(heard, None, 1)
            moves._table = moves._laid(real[rows], real[rows], told, None, source(step), unlike if share else None)
            optimizer.zero_grad()
            moves.discriminate({}, source())[0].backward()
            optimizer.step()
        with torch.no_grad():
            right = d(real, d.condition(batch))
            wrong = d(real, d.condition(batch | {"given.codes": 1 - batch["given.codes"]}))
        found[share] = float((right > wrong).float().mean())
        apart = float((right - wrong).mean())
        assert (apart > 1.0) == (share > 0)
    assert found[0.5] == 1.0


def test_records_told_alike_are_no_mismatch():
    network, batch = laid(given=("label",))
    batch["given.codes"] = torch.zeros_like(batch["given.codes"])
    losses = []
    for share in (0.0, 0.5):
        network.discriminator.seen.zero_()  # by which the penalty falls
        moves = moves_of(network, mismatched=share)
        moves.generate(batch, source())
        losses.append(moves.discriminate(batch, source())[0].item())
    assert losses[0] == losses[1]


def test_a_held_out_look_tells_how_unlike_draws_are():
    """To other records; it moves no dial and lays nothing out."""
    network, batch = laid()
    network.eval()
    d = network.discriminator
    before = {k: v.clone() for k, v in network.state_dict().items()}
    unlike, facts = moves_of(network).generate(batch, source())
    assert unlike.ndim == 0 and set(facts) == {"accuracy"} and 0 <= facts["accuracy"] <= 1
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items()) and d.seen == 0
    # draws that are the data: an estimate without bias, around 0
    network.generator.forward = lambda z, told, generator, whole=False: network.flat(batch, generator)[0].flip(0)
    near, _ = moves_of(network).generate(batch, source())
    assert abs(near.item()) < 0.2 and unlike.item() > near.item()


def test_conditions_are_left_out_one_by_one_and_together():
    """Half of the share falls on all of them at once, as in every family."""
    network, _ = laid(given=("label", "y"))
    n, share = 40_000, 0.2
    lost = moves_of(network, absent=share)._dropped({"codes": torch.empty(n, 0)}, source()).double()
    each = 1 - (1 - share / 2) ** 2
    assert (lost.mean(0) - each).abs().max() < 5 * (each / n) ** 0.5
    assert abs(float(lost.prod(1).mean()) - share / 2) < 0.02  # apart from one another .04 would lose both


# The penalty keeps the game from going round: the game of two numbers (Mescheder, Geiger, Nowozin 2018)


def circled(loss, gamma, steps=400, lr=0.1):
    """|(θ, ψ)| after and before a game of data at 0, draws at θ and D(x) = ψ x, moved at once by gradients."""
    theta, psi = torch.tensor(0.5, requires_grad=True), torch.tensor(0.5, requires_grad=True)
    for _ in range(steps):
        real, fake = psi * torch.zeros(1), psi * theta
        d_loss = loss.discriminator(real, fake.view(1)).mean() + gamma / 2 * psi.square()
        g_loss = loss.generator(real, fake.view(1)).mean()
        (d_slope,) = torch.autograd.grad(d_loss, psi, retain_graph=True)
        (g_slope,) = torch.autograd.grad(g_loss, theta)
        with torch.no_grad():
            psi, theta = psi - lr * d_slope, theta - lr * g_slope
        psi.requires_grad_(), theta.requires_grad_()
    return float((psi**2 + theta**2).detach().sqrt())


@pytest.mark.parametrize("name", ["minimax", "non-saturating", "relativistic", "wasserstein"])
def test_without_a_penalty_the_simplest_game_goes_round_and_with_one_it_ends(name):
    loss = LOSSES[name]()
    assert circled(loss, 0.0) > 0.5
    assert circled(loss, 1.0) < 0.02
