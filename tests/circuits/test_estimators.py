from __future__ import annotations

import copy
import pickle

import pytest
import torch

from replank.circuits import Circuit, DensityMatrix, Probabilities, Projector, Samples, State, X, Z
from replank.circuits.estimators import Estimator
from replank.circuits.noise import NoiseModel, ReadoutError, depolarising
from tests.circuits.noise_cases import CHANNELS, OBSERVABLES, around

KINDS = {
    "as the plan": {},
    "shifted": {"gradient": "parameter_shift"},
    "shots": {"shots": 5},
    "read with errors": {"readout": ReadoutError(0.1, 0.1)},
    "all at once": {"gradient": "parameter_shift", "shots": 5, "readout": ReadoutError(0.1, 0.1)},
}


@pytest.mark.parametrize("lead", [(), (0,), (5,), (4, 3)])
@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_shapes_are_those_of_the_plan(options, lead):
    circuit = around(CHANNELS["bit flip"])
    features, parameters = torch.rand(*lead, 2), torch.rand(3)
    for observables in (Z(0), None, OBSERVABLES, [Z(0), Projector((1,), (0,))], Probabilities()):
        plan = circuit.plan(observables)
        ours, wanted = Estimator(plan, **options)(features, parameters), plan(features, parameters)
        assert isinstance(ours, tuple) == isinstance(wanted, tuple)
        pairs = zip(ours, wanted, strict=True) if isinstance(ours, tuple) else [(ours, wanted)]
        assert all((one.shape, one.dtype) == (other.shape, other.dtype) for one, other in pairs)


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_copies_and_pickles_run_as_well(options):
    plan = around(CHANNELS["bit flip"]).plan([Z(0), X(1)])
    estimator, sources = Estimator(plan, **options), (torch.rand(3, 2), torch.rand(3))
    values = estimator(*sources, generator=torch.Generator().manual_seed(0))
    for other in (copy.deepcopy(estimator), pickle.loads(pickle.dumps(estimator))):
        assert torch.equal(other(*sources, generator=torch.Generator().manual_seed(0)), values)


def test_a_device_is_a_model_of_noise_with_shots():
    noise = NoiseModel(
        one_qubit=[depolarising(0.01, 0)], two_qubit=[depolarising(0.05, 0, 1)], readout=ReadoutError(0.02, 0.04)
    )
    circuit = Circuit(2).h(0).cnot(0, 1)
    device = Estimator(noise.apply(circuit).plan(Z(0) @ Z(1)), shots=100_000, readout=noise.readout)
    value = device(torch.zeros(0), torch.zeros(0), generator=torch.Generator().manual_seed(0))
    # both outcomes 00 and 11 are as likely; the channel on two wires shrinks any string by 1 - 16p/15
    agree = (1 - 16 * 0.05 / 15) * 0.94**2 + 0.02**2
    assert value.item() == pytest.approx(agree, abs=5 * ((1 - agree**2) / 100_000) ** 0.5)


def test_autocast_and_half_precision_change_nothing():
    plan = around(CHANNELS["bit flip"]).plan([Z(0), X(1)])
    features, parameters = torch.rand(3, 2), torch.rand(3)
    for options in ({}, {"gradient": "parameter_shift"}, {"readout": ReadoutError(0.1, 0.1)}):
        estimator = Estimator(plan, **options)
        wanted = estimator(features, parameters)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(estimator(features, parameters), wanted)
        with pytest.raises(TypeError, match="Estimator: features and parameters must be float32 or float64 alike"):
            estimator(features.half(), parameters.half())


@pytest.mark.parametrize("observable", [State(), DensityMatrix((0,)), Samples(5)])
def test_observables_that_are_no_numbers_are_refused(observable):
    with pytest.raises(ValueError, match="observables must be sums of Pauli strings, projectors or probabilities, got"):
        Estimator(Circuit(1).plan(observable))


def test_what_is_refused():
    plan = around(CHANNELS["bit flip"]).plan()
    with pytest.raises(ValueError, match="at least one shot, got shots=0"):
        Estimator(plan, shots=0)
    with pytest.raises(ValueError, match='must be "adjoint" or "parameter_shift", got \'finite\''):
        Estimator(plan, gradient="finite")
    with pytest.raises(ValueError, match=r"Estimator: features must be \(\*, 2\) and parameters \(3,\)"):
        Estimator(plan)(torch.zeros(3), torch.zeros(3))
    for options in ({}, {"gradient": "parameter_shift"}, {"shots": 3}):
        with pytest.raises(ValueError, match=r"must be finite|is NaN or infinite"):
            Estimator(plan, **options)(torch.full((2, 2), torch.nan), torch.zeros(3))
