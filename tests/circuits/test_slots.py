"""The table of angles: rows, matrices and direct evaluation agree."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import theta, x
from replank.circuits.angle import as_angle, sin
from replank.circuits.slots import Slots
from tests.circuits.strategies import AFFINE, F64, N_FEATURES, N_PARAMETERS, angles, assert_near

many = st.lists(angles, max_size=8)


def sources(slots: Slots, *, n_groups: int = 2, batch: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sources of all slots, and the slots' values by direct evaluation, ``(G, B, n_slots)``."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(n_groups, batch, N_FEATURES, dtype=F64, generator=generator)
    parameters = torch.randn(n_groups, N_PARAMETERS, dtype=F64, generator=generator)
    values = [angle.evaluate(features, parameters[:, None]).expand(n_groups, batch) for angle in slots.angles]
    wanted = torch.stack(values, -1) if values else torch.zeros(n_groups, batch, 0, dtype=F64)
    return *slots.sources(features, parameters), wanted


@given(many)
def test_matrices_give_the_values(chosen):
    slots = Slots(chosen, N_FEATURES, N_PARAMETERS)
    features, parameters, wanted = sources(slots)
    assert features.shape[-1] == slots.n_features
    assert parameters.shape[-1] == slots.n_parameters
    by_feature, by_parameter = map(torch.as_tensor, slots.matrices())
    values = torch.as_tensor(slots.constants) + features @ by_feature + (parameters @ by_parameter)[:, None]
    assert_near(values, wanted, 1e-12)


@given(many)
def test_rows_are_the_same_table(chosen):
    slots = Slots(chosen, N_FEATURES, N_PARAMETERS)
    begins, columns, coefficients = slots.rows
    by_feature, by_parameter = np.zeros_like(slots.matrices()[0]), np.zeros_like(slots.matrices()[1])
    for slot in range(len(slots)):
        for k in range(begins[slot], begins[slot + 1]):
            column = columns[k]
            table, row = (by_parameter, column) if column >= 0 else (by_feature, -column - 1)
            table[row, slot] += coefficients[k]
    np.testing.assert_array_equal(by_feature, slots.matrices()[0])
    np.testing.assert_array_equal(by_parameter, slots.matrices()[1])


@given(many)
def test_which_slots_differ_from_sample_to_sample(chosen):
    slots = Slots(chosen, N_FEATURES, N_PARAMETERS)
    _, _, values = sources(slots)
    differs = (values != values[:, :1]).any(1).any(0).numpy()
    assert (slots.per_sample | ~differs).all()
    assert slots.per_sample.tolist() == [angle.per_sample for angle in chosen]


def test_what_is_affine_derives_nothing():
    slots = Slots(AFFINE, N_FEATURES, N_PARAMETERS)
    assert (slots.n_features, slots.n_parameters) == (N_FEATURES, N_PARAMETERS)


def test_each_atom_is_derived_once():
    product, function = theta[0] * x[1], sin(theta[1])
    slots = Slots([product, 2 * product + 1, function, function + theta[0]], N_FEATURES, N_PARAMETERS)
    assert (slots.n_features, slots.n_parameters) == (N_FEATURES + 1, N_PARAMETERS + 1)


def test_groups_of_one_kind_only():
    """Several sets of parameters with one of features: what depends on both has as many as either."""
    slots = Slots([theta[0] * x[1], x[0] * x[0], sin(theta[1])], N_FEATURES, N_PARAMETERS)
    features = torch.randn(1, 3, N_FEATURES, dtype=F64)
    parameters = torch.randn(4, N_PARAMETERS, dtype=F64)
    more_features, more_parameters = slots.sources(features, parameters)
    assert more_features.shape == (4, 3, N_FEATURES + 2)
    assert more_parameters.shape == (4, N_PARAMETERS + 1)
    assert_near(more_features[..., -2], parameters[:, :1] * features[..., 1], 1e-12)


def test_no_angles_and_numbers_only():
    assert len(Slots([], 0, 0)) == 0
    slots = Slots([as_angle(0.5), as_angle(-2)], 0, 0)
    assert slots.constants.tolist() == [0.5, -2.0]
    assert slots.rows[0].tolist() == [0, 0, 0]
