"""Learned codebooks: rotation against the paper's matrices, planted clusters, means that follow, codes that revive."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pushforward.autoencoders.quantisers.clusters import clusters, nearest
from pushforward.autoencoders.quantisers.codebook import MEMORY, Codebook
from pushforward.autoencoders.quantisers.rotation import rotated


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def matrix(h, e):
    """|e| / |h| R of the paper for one vector: (I - 2 r rᵀ + 2 ê ĥᵀ), written as a matrix."""
    a, b = h / h.norm(), e / e.norm()
    r = (a + b) / (a + b).norm()
    turn = torch.eye(len(h)).double() - 2 * torch.outer(r, r) + 2 * torch.outer(b, a)
    return e.norm() / h.norm() * turn


def test_rotation_gives_the_code_and_the_gradient_of_the_paper():
    h, e, pull = (drawn(9, 5, seed=i) for i in range(3))
    h.requires_grad_(True)
    out = rotated(h, e)
    assert torch.allclose(out, e)
    out.backward(pull)
    for i in range(len(h)):
        m = matrix(h[i].detach(), e[i])
        assert torch.allclose(h.grad[i], m.T @ pull[i])
        turn = m * h[i].detach().norm() / e[i].norm()
        assert torch.allclose(turn @ turn.T, torch.eye(5).double(), atol=1e-10)  # a rotation indeed


def test_the_angle_of_the_gradient_is_kept():
    h, e, pull = (drawn(6, 4, seed=i) for i in range(3))
    h.requires_grad_(True)
    rotated(h, e).backward(pull)
    cosine = torch.nn.functional.cosine_similarity
    assert torch.allclose(cosine(h.grad, h.detach()), cosine(pull, e))


@pytest.mark.parametrize("h, e", [([0.0, 0.0], [1.0, 0.0]), ([1.0, 0.0], [0.0, 0.0]), ([1.0, 0.0], [-2.0, 0.0])])
def test_without_a_rotation_the_gradient_is_copied(h, e):
    h, e = torch.tensor([h], requires_grad=True), torch.tensor([e])
    out = rotated(h, e)
    out.backward(torch.tensor([[3.0, -4.0]]))
    assert torch.equal(out.detach(), e) and h.grad.tolist() == [[3.0, -4.0]]


def planted(k=12, n=40):
    centres = 20 * drawn(k, 3).float()
    return centres, (centres[:, None] + 0.1 * drawn(k, n, 3, seed=1).float()).flatten(0, 1)


def test_a_start_finds_planted_clusters():
    centres, points = planted()
    codebook = Codebook(12, 3)
    codebook.prepare(points, torch.Generator().manual_seed(0))
    far = torch.cdist(centres, codebook.vectors).min(1).values
    assert far.max() < 0.1


@pytest.mark.parametrize("n, k", [(3, 8), (1, 2), (5, 5)])
def test_fewer_points_than_codes_are_enough(n, k):
    points = drawn(n, 2).float()
    found = clusters(points, k, torch.Generator().manual_seed(0))
    assert found.shape == (k, 2) and torch.cdist(points, found).min(1).values.max() < 1e-5


def test_nearest_is_nearest():
    x, centres = drawn(50, 4), drawn(9, 4, seed=1)
    assert torch.equal(nearest(x, centres), torch.cdist(x, centres).argmin(1))


def test_means_follow_what_comes_to_a_code():
    codebook = Codebook(2, 1)
    codebook._set(slice(None), torch.tensor([[0.0], [10.0]]), 1.0)
    h = torch.tensor([[[1.0], [9.0]]])
    codebook.learn(h, codebook(h).codes, torch.Generator().manual_seed(0))
    assert torch.allclose(codebook.vectors, torch.tensor([[1 - MEMORY], [10 * MEMORY + 9 * (1 - MEMORY)]]))
    for _ in range(60):
        codebook.learn(h, codebook(h).codes, torch.Generator().manual_seed(0))
    assert torch.allclose(codebook.vectors, torch.tensor([[1.0], [9.0]]), atol=1e-4)


def test_dead_codes_revive_where_the_error_is():
    _, points = planted()
    codebook = Codebook(12, 3)
    away = torch.full((11, 3), 1e4) + torch.arange(11)[:, None]
    codebook._set(slice(None), torch.cat([points[:1], away]), 1.0)
    h, generator = points[None], torch.Generator().manual_seed(0)
    assert codebook(h).codes.unique().tolist() == [0]
    before = (codebook(h).values - h).norm(dim=-1).mean()
    for _ in range(120):
        codebook.learn(h, codebook(h).codes, generator)
    assert len(codebook(h).codes.unique()) == 12
    assert (codebook(h).values - h).norm(dim=-1).mean() < before / 3


def test_the_codebook_is_averaged_and_kept_but_moved_by_no_optimiser():
    codebook = Codebook(4, 2)
    assert [name for name, _ in codebook.named_parameters()] == ["vectors"]
    assert not codebook.vectors.requires_grad


def test_two_processes_hold_one_codebook(in_two_processes):
    one, two, other = in_two_processes(Path(__file__).with_name("distributed.py"))
    assert set(two) == set(other) == set(one)
    for name in two:
        assert np.array_equal(two[name], other[name]), name
    assert two["used"] > 0.5
