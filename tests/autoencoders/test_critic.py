"""The critic: what it sees, when it pulls and how hard, and who may have one."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.autoencoders.critic import Critic, frozen, gap, scale
from pushforward.training.randomness import scope

SHAPES = [(1, 4, 4), (1, 8, 8), (3, 28, 28), (3, 64, 64), (1, 5, 9), (1, 4, 64), (3, 100, 5)]


def source():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_judges_patches_of_any_picture(shape):
    critic = Critic(shape, width=4)
    looks = critic(torch.randn(2, *shape, generator=source()))
    assert looks.ndim == 3 and looks.shape[0] == 2 and 1 <= looks.shape[1] <= 8


def test_it_learns_to_tell_made_pictures():
    critic, generator = Critic((1, 8, 8), width=8), source()
    adam = torch.optim.Adam(critic.parameters(), 1e-3, (0.5, 0.99))
    last = torch.ones(1, requires_grad=True)
    for _ in range(150):
        real = torch.randn(32, 1, 8, 8, generator=generator)
        made = real * 0.3 * last
        critic.pull(real, made, None, made.square().mean(), last, 1.0, 0.0)
        loss = critic.loss({}, generator)
        loss.backward()
        adam.step()
        adam.zero_grad()
    assert loss < 1.0  # of 2, where it knows nothing
    assert critic.seen == 150


@pytest.mark.parametrize("seen, now", [(0, 0.0), (10, 0.0), (15, 0.5), (20, 1.0), (99, 1.0)])
def test_it_pulls_after_its_patience_and_ever_harder(seen, now):
    critic = Critic((1, 8, 8), width=4, patience=10)
    critic.seen.fill_(seen)
    assert critic.pull_now.item() == pytest.approx(now)


@pytest.mark.parametrize("adversarial, perceptual", [(0.5, 0.0), (0.0, 0.25), (2.0, 0.0)])
def test_its_pull_is_a_share_of_that_of_the_errors(adversarial, perceptual):
    with scope(0):
        critic = Critic((1, 8, 8), width=4, patience=1)
    critic.seen.fill_(9)
    real = torch.randn(5, 1, 8, 8, generator=source())
    last = torch.full((1,), 0.5, requires_grad=True)
    made = real.flip(2) * last
    errors = 100 * (real - made).square().mean()
    pull = critic.pull(real, made, None, errors, last, adversarial, perceptual)
    one, two = (torch.autograd.grad(loss, last, retain_graph=True)[0].norm() for loss in (errors, pull))
    assert float(two / one) == pytest.approx(adversarial + perceptual, rel=1e-4)


def test_no_gradient_comes_to_it_from_the_decoder():
    critic = Critic((1, 8, 8), width=4, patience=0)
    critic.seen.fill_(9)
    last = torch.ones(1, requires_grad=True)
    made = last * torch.randn(2, 1, 8, 8, generator=source())
    critic.pull(made.detach() + 1, made, None, made.square().mean(), last, 1.0, 1.0).backward()
    assert all(p.grad is None and p.requires_grad for p in critic.parameters())
    assert last.grad is not None


def test_weights_count():
    critic = Critic((1, 8, 8), width=4, patience=1)
    critic.eval()
    real, made = (torch.randn(2, 1, 8, 8, generator=source()) + i for i in range(2))
    last = torch.ones(1, requires_grad=True)

    def loss(real, made, share):
        critic.pull(real, made, share, last.sum(), last, 1.0, 0.0)
        return critic.loss({}, source()).item()

    only = loss(real, made, torch.tensor([2.0, 0.0]))
    assert only == pytest.approx(loss(real[:1], made[:1], None), rel=1e-5)


def test_helpers():
    x = torch.randn(3, 4, 2, 2, generator=source())
    assert torch.allclose(gap(x, 5 * x), torch.zeros(3, 2, 2), atol=1e-6)
    assert torch.allclose(gap(x, -x), torch.full((3, 2, 2), 4.0))
    w = torch.ones(2, requires_grad=True)
    assert scale(3 * w.sum(), 0.5 * w.sum(), w) == pytest.approx(6.0)
    layer = torch.nn.Linear(1, 1)
    with frozen(layer):
        assert not layer.weight.requires_grad
    assert layer.weight.requires_grad


@pytest.mark.parametrize("name", ["adversarial", "perceptual"])
@pytest.mark.parametrize("family", ["VQ", "VAE", "AutoEncoder"])
def test_without_a_picture_it_is_refused(family, name):
    with pytest.raises(pf.DataError, match=rf"{name}=0.5 needs a picture"):
        getattr(pf, family)(**{name: 0.5}).fit(np.random.default_rng(0).standard_normal((40, 2)), steps=2)


@pytest.mark.filterwarnings("ignore::pushforward.CollapsedWarning")
@pytest.mark.parametrize("body", ["auto", "dense"])
@pytest.mark.parametrize("family", ["VQ", "VAE", "AutoEncoder"])
def test_every_coder_may_have_one(family, body):
    image = np.random.default_rng(0).integers(0, 255, (40, 8, 8)).astype(np.uint8)
    model = getattr(pf, family)(width=8, body=body, adversarial=0.5, perceptual=0.5, patience=2)
    losses = [now.losses for now in model.fitting({"image": image}, steps=8, device="cpu")]
    assert all("critic" in step for step in losses)
    assert not any("critic" in name for name in model._state()) and model._critic is None
    plain = getattr(pf, family)(width=8, body=body).fit({"image": image}, steps=8, device="cpu")
    one, other = model._state(), plain._state()
    assert one.keys() == other.keys() and any(not torch.equal(one[k], other[k]) for k in one)
