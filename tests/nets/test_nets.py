"""Networks: shapes, conditions and what starts at zero."""

import pytest
import torch

import pushforward as pf
from pushforward.nets.condition import Condition
from pushforward.nets.embed import Waves
from pushforward.nets.mlp import ResidualMLP
from pushforward.nets.unet import UNet


@pytest.mark.parametrize("size", [(8, 8), (9, 12), (28, 28), (32, 32), (64, 48)])
@pytest.mark.parametrize("channels", [1, 3])
def test_unet_gives_back_the_shape(size, channels):
    net = UNet(channels, *size, hidden=8, layers=1, condition=4, extra=2)
    picture, numbers = net(torch.randn(2, channels, *size), torch.randn(2, 4))
    assert picture.shape == (2, channels, *size) and numbers.shape == (2, 2)
    assert not picture.any() and not numbers.any()  # the last layers start at zero


def test_unet_sees_the_whole_of_a_small_picture():
    torch.manual_seed(0)
    net = UNet(1, 8, 8, hidden=8, layers=2, condition=4)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.2)
    x = torch.randn(1, 1, 8, 8, requires_grad=True)
    net(x, torch.zeros(1, 4))[0][0, 0, 0, 0].backward()
    assert (x.grad != 0).all()


@pytest.mark.parametrize("kind", ["convolutions", "dense"])
def test_what_is_left_out_in_training_is_made_up_for_on_the_mean(kind):
    torch.manual_seed(0)
    if kind == "dense":
        block, x = ResidualMLP(3, 2, 16, 1, 4, drop=0.3).blocks[0], torch.randn(1, 16)
    else:
        block, x = UNet(1, 8, 8, hidden=8, layers=1, condition=4, drop=0.3).down[0], torch.randn(1, 8, 8, 8)
    for p in block.parameters():
        torch.nn.init.normal_(p, std=0.3)
    many, c = x.expand(4000, *x.shape[1:]), torch.ones(1, 4)
    with torch.no_grad():
        dropped, whole = block(many, c.expand(4000, -1)), block.eval()(x, c)
        assert torch.equal(whole, block(x, c)), "nothing is left out where nothing is learned"
    far = (dropped.mean(0) - whole[0]) / (dropped.std(0) / 4000**0.5)
    assert far.square().mean() < 1.5 and dropped.std(0).min() > 0


def test_mlp_starts_at_zero_and_is_steered():
    torch.manual_seed(0)
    net = ResidualMLP(3, 2, 16, 2, 4)
    assert not net(torch.randn(5, 3), torch.randn(5, 4)).any()
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.3)
    x = torch.randn(5, 3)
    assert not torch.allclose(net(x, torch.zeros(5, 4)), net(x, torch.ones(5, 4)))


def test_waves_have_unit_size():
    x = torch.randn(2000)
    assert Waves(64)(x).square().mean().item() == pytest.approx(1, abs=0.02)


@pytest.fixture
def condition():
    torch.manual_seed(0)
    data = pf.read({"n": [1.0, 2.0, 4.0], "c": ["a", "b", None], "t": ["red left of blue"] * 3}, text=["t"])
    module = Condition(data.schema, 16).eval()
    module.prepare(module.encode(data))
    return module, data


def test_a_hole_is_the_same_however_it_is_said(condition):
    module, data = condition
    full, without = module(module.encode(data)), module(module.encode(data.select(["n", "t"])))
    assert torch.allclose(full[2], without[2]) and not torch.allclose(full[0], without[0])


def test_a_condition_that_is_not_told_is_no_hole_and_hides_one(condition):
    module, data = condition
    drop = torch.zeros(3, 3, dtype=torch.bool)
    drop[:, 1] = True
    untold = module(module.encode(data), drop)
    assert torch.allclose(untold, module(module.encode(data.select(["n", "t"])), drop))
    assert not torch.allclose(untold[2], module(module.encode(data))[2])


def test_a_cell_that_was_never_missing_is_not_told_where_it_is(condition):
    module, data = condition  # of n no cell was missing, so that nothing was learned of holes in it
    drop = torch.tensor([[True, False, False]] * 3)
    assert torch.allclose(module(module.encode(data.select(["c", "t"]))), module(module.encode(data), drop))


def test_words_are_lost_in_training_alone(condition):
    module, data = condition
    tensors = module.encode(data)
    assert torch.equal(module.read(tensors)[1][0], module.read(tensors)[1][0])
    torch.manual_seed(0)
    _, (words,) = module.train().read({name: x.repeat(100, *[1] * (x.ndim - 1)) for name, x in tensors.items()})
    # of every other text of four words a share u, uniform, but never all: (E u - E u⁴) / 2
    assert (words == 0).all(-1).float().mean().item() == pytest.approx((1 / 2 - 1 / 5) / 2, abs=0.03)


def test_the_order_of_words_matters(condition):
    module, _data = condition
    texts = ["a red circle left of a blue square", "a blue circle left of a red square"]
    both = pf.read({"n": [1.0, 1.0], "c": ["a", "a"], "t": texts}, text=["t"])
    out = module(module.encode(both.select(["t"])))
    assert not torch.allclose(out[0], out[1])


def test_close_numbers_are_told_apart(condition):
    module, _ = condition
    out = module(module.encode(pf.read({"n": [1.0, 1.2]})))
    assert (out[0] - out[1]).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["numbers", "codes", "holes", "words.1"])
def test_a_field_may_have_any_name(name):
    torch.manual_seed(0)
    data = pf.read({"n": [1.0, 2.0], name: ["red left of blue", "blue"]}, text=[name])
    module = Condition(data.schema, 16).eval()
    module.prepare(module.encode(data))
    out = module(module.encode(data))
    assert out.shape == (2, 16) and not torch.allclose(out[0], out[1])
