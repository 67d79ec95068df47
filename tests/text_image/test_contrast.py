"""Contrastive losses against their definitions, and what masks do."""

import math

import pytest
import torch

from pushforward.text_image.contrast import sigmoid, softmax

OWN = torch.eye(4, dtype=torch.bool)


@pytest.fixture
def logits():
    return torch.randn(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_softmax_is_the_mean_of_both_cross_entropies(logits):
    index = torch.arange(4)
    both = [torch.nn.functional.cross_entropy(way, index, reduction="none") for way in (logits, logits.T)]
    assert torch.allclose(softmax(logits, OWN), sum(both) / 2)


def test_sigmoid_is_a_sum_of_coins(logits):
    coins = [
        math.log1p(math.exp(-x if i == j else x)) for i, row in enumerate(logits.tolist()) for j, x in enumerate(row)
    ]
    assert sigmoid(logits, OWN).sum().item() == pytest.approx(sum(coins))


@pytest.mark.parametrize("loss", [softmax, sigmoid])
def test_texts_that_are_alike_are_no_negatives(loss, logits):
    same = OWN.clone()
    same[0, 1] = same[1, 0] = True
    other = logits.clone()
    other[0, 1], other[1, 0] = 50.0, -50.0
    assert torch.allclose(loss(logits, same), loss(other, same))
    assert not torch.allclose(loss(logits, OWN), loss(other, OWN))


@pytest.mark.parametrize("loss", [softmax, sigmoid])
def test_the_own_text_pulls_and_others_push(loss, logits):
    logits.requires_grad_()
    loss(logits, OWN).sum().backward()
    assert (logits.grad.diagonal() < 0).all() and (logits.grad[~OWN] > 0).all()


@pytest.mark.parametrize("loss", [softmax, sigmoid])
def test_no_records_no_loss(loss):
    assert loss(torch.zeros(0, 0), torch.zeros(0, 0, dtype=torch.bool)).shape == (0,)
