from __future__ import annotations

import math

import pytest
import torch

from replank.circuits import image_hamiltonian, pad_to_power_of_two
from replank.errors import UnknownName

F64 = torch.float64


def rand(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, dtype=F64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("mode", ["symmetric", "hermitian", "block"])
def test_hermitian_to_the_last_bit(mode):
    h = image_hamiltonian(rand(3, 8, 8), mode)
    assert torch.equal(h, h.mH)


def test_a_symmetric_image_is_its_own_hamiltonian():
    h = image_hamiltonian(rand(3, 8, 8))
    assert torch.equal(image_hamiltonian(h), h)


def test_a_transposed_image_is_seen_by_all_modes_but_the_symmetric_one():
    images = rand(2, 4, 4)
    assert torch.equal(image_hamiltonian(images), image_hamiltonian(images.mT))
    for mode in ("hermitian", "block"):
        assert not torch.allclose(image_hamiltonian(images, mode), image_hamiltonian(images.mT, mode))


def test_the_hermitian_and_the_block_mode_keep_the_whole_image():
    images = rand(2, 4, 4)
    h = image_hamiltonian(images, "hermitian")
    torch.testing.assert_close(h.real + h.imag, images)
    assert torch.equal(image_hamiltonian(images, "block")[:, :4, 4:], images)


def test_eigenvalues_of_the_block_mode_are_singular_values_with_both_signs():
    image = rand(4, 4)
    values = torch.linalg.svdvals(image)
    expected = torch.cat((-values, values.flip(0)))
    torch.testing.assert_close(torch.linalg.eigvalsh(image_hamiltonian(image, "block")), expected)


def test_a_black_image_is_no_hamiltonian_at_all_and_will_do():
    assert torch.equal(image_hamiltonian(torch.zeros(1, 2, 2)), torch.zeros(1, 2, 2))


@pytest.mark.parametrize(("shape", "side"), [((28, 28), 32), ((8, 8), 8), ((3, 5), 8), ((1, 2), 2), ((1, 1), 1)])
def test_padding_is_black_and_keeps_the_image_in_the_middle(shape, side):
    image = 1 + rand(2, *shape)
    padded = pad_to_power_of_two(image)
    assert padded.shape == (2, side, side)
    top, left = (side - shape[0]) // 2, (side - shape[1]) // 2
    assert torch.equal(padded[:, top : top + shape[0], left : left + shape[1]], image)
    assert (padded != 0).sum() == image.numel()


@pytest.mark.parametrize(
    ("images", "mode", "error", "law"),
    [
        (torch.zeros(2, 4, 8), "symmetric", ValueError, r"square, got shape \(2, 4, 8\)\. pad_to_power_of_two"),
        (torch.zeros(4), "symmetric", ValueError, r"square, got shape \(4,\)"),
        (
            torch.zeros(28, 28),
            "symmetric",
            ValueError,
            r"power of two from 2 on, got 28\. pad_to_power_of_two adds black",
        ),
        (torch.zeros(1, 1), "symmetric", ValueError, "power of two from 2 on, got 1"),
        (torch.full((2, 2), math.nan), "symmetric", ValueError, "finite, got 4 that are not"),
        (torch.full((2, 2), math.inf), "block", ValueError, "finite, got 4 that are not"),
        (torch.zeros(2, 2, dtype=torch.uint8), "symmetric", TypeError, r"got dtype=torch\.uint8"),
        (torch.zeros(2, 2, dtype=torch.complex64), "symmetric", TypeError, r"got dtype=torch\.complex64"),
        (torch.empty(8192, 8192, device="meta"), "symmetric", ValueError, "at most 12 qubits, got images of side 8192"),
        (torch.empty(4096, 4096, device="meta"), "block", ValueError, "at most 12 qubits, got images of side 4096"),
        (torch.zeros(2, 2), "symmetrical", UnknownName, "Did you mean 'symmetric'"),
    ],
    ids=str,
)
def test_what_can_not_be_embedded_is_refused(images, mode, error, law):
    with pytest.raises(error, match=law):
        image_hamiltonian(images, mode)


@pytest.mark.parametrize("shape", [(4,), (0, 3), (3, 0)], ids=str)
def test_nothing_can_not_be_padded(shape):
    with pytest.raises(ValueError, match=r"must be \(\*, height, width\) with pixels"):
        pad_to_power_of_two(torch.zeros(shape))
