from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.nn import functional

from replank.features import DenseAutoencoder

F64 = torch.float64


def images(n: int, width: int, dtype: torch.dtype = F64) -> torch.Tensor:
    return torch.rand(n, width, generator=torch.Generator().manual_seed(0), dtype=dtype)


def test_output_is_the_decoded_encoding_and_widths_are_mirrored():
    model = DenseAutoencoder((12, 7, 5), 3, dtype=F64)
    x = images(4, 12)
    assert model.encode(x).shape == (4, 3)
    assert torch.equal(model(x), model.decode(model.encode(x)))
    widths = [layer.weight.shape for part in (model.encoder, model.decoder) for layer in part[::2]]
    assert widths == [(7, 12), (5, 7), (3, 5), (5, 3), (7, 5), (12, 7)]


def test_latent_features_are_linear_in_the_last_hidden_layer_and_outputs_are_brightnesses():
    model = DenseAutoencoder((6, 5), 2, dtype=F64)
    latents = model.encode(images(200, 6))
    with torch.no_grad():
        for parameter in model.encoder[-1].parameters():
            parameter.neg_()
    assert torch.equal(model.encode(images(200, 6)), -latents)
    far = model.decode(1e3 * latents)
    assert (far >= 0).all()
    assert (far <= 1).all()


def test_the_published_size_in_closed_form():
    widths = (784, 256, 128, 64)
    there = sum(a * b + b for a, b in pairwise(widths))
    back = sum(a * b + a for a, b in pairwise(widths))
    model = DenseAutoencoder((784, 256, 128), 64)
    assert sum(p.numel() for p in model.parameters()) == there + back


def test_without_hidden_layers_the_encoding_is_affine():
    model = DenseAutoencoder((6,), 2, dtype=F64)
    x, y = images(2, 6)
    middle = model.encode((x + y) / 2)
    assert torch.allclose(middle, (model.encode(x) + model.encode(y)) / 2, atol=1e-14)


def test_gradients_in_float64():
    model = DenseAutoencoder((5, 4), 2, dtype=F64)
    x = 0.2 + 0.6 * images(3, 5)  # steps of the numerical gradient must not leave [0, 1]
    assert torch.autograd.gradcheck(model, x.requires_grad_())


def test_images_on_a_plane_are_given_back_through_as_many_features():
    """Three directions in eight pixels: a narrow layer of three loses nothing, one of one does."""
    directions = torch.randn(3, 8, generator=torch.Generator().manual_seed(1), dtype=F64)
    x = torch.sigmoid(torch.randn(64, 3, generator=torch.Generator().manual_seed(2), dtype=F64) @ directions)
    losses = {}
    for latent in (1, 3):
        torch.manual_seed(0)
        model = DenseAutoencoder((8, 32), latent, dtype=F64)
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(400):
            optimiser.zero_grad()
            loss = functional.mse_loss(model(x), x)
            loss.backward()
            optimiser.step()
        losses[latent] = loss.item()
    assert losses[3] < 0.1 * losses[1]
    assert losses[3] < 0.03 * x.var().item()


def test_no_samples_are_no_trouble():
    assert DenseAutoencoder((6, 5), 2)(torch.zeros(0, 6)).shape == (0, 6)


@pytest.mark.parametrize(
    ("values", "law"),
    [
        (255 * images(2, 6, torch.float32), r"must lie in \[0, 1\], got values in .* Divide by 255"),
        (images(2, 6, torch.float32) - 0.5, r"must lie in \[0, 1\].* Scale them"),
        (images(2, 6, torch.float32) / 0, r"must lie in \[0, 1\]"),
        (torch.full((2, 6), torch.nan), r"must lie in \[0, 1\].* remove NaN"),
    ],
)
def test_what_are_no_brightnesses_is_refused(values, law):
    with pytest.raises(ValueError, match=law):
        DenseAutoencoder((6, 5), 2)(values)


@pytest.mark.parametrize(("dims", "latent"), [((), 3), ((6, 0), 2), ((6,), 0)])
def test_impossible_widths_are_refused(dims, latent):
    with pytest.raises(ValueError, match="positive widths, got dims="):
        DenseAutoencoder(dims, latent)
