"""One arm on quantum states: train it, and attack it by turning each qubit a little."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from replank.circuits.many_body import imbalance, z_means
from replank.datasets.aubry_andre import ChainStates, aubry_andre_states
from replank.lab.disturbed_feed import Disturb
from replank.lab.feed import TensorFeed
from replank.lab.trial import Measurements, Trial
from replank.measure.evaluation import predict
from replank.measure.fidelity import state_fidelity, trace_distance
from replank.measure.robustness import robust_accuracy
from replank.measure.state_attacks import local_unitary_attack, random_local_unitary
from replank.studies.quantum_adversarial.heads import state_classifier
from replank.studies.quantum_adversarial.image_trial import consistency
from replank.studies.quantum_adversarial.settings import StateSettings
from replank.studies.quantum_adversarial.training import fitted

N_STARTS = 3
"""Of the attack on test states: from angles of 0 the loss of whatever reads Z alone is flat."""


def run_states(trial: Trial) -> Measurements:
    """Arms of one seed share states and their order; classifiers of one kind share their initial values."""
    settings: StateSettings = trial.settings
    train, test = (
        aubry_andre_states(n, settings.n_qubits, seed=trial.seed, part=part)
        for part, n in (("train", settings.n_train), ("test", settings.n_test))
    )
    sets = _feed(train, settings, trial.device), _feed(test, settings, trial.device)
    model = state_classifier(settings, trial.seed).to(trial.device)
    disturb = _disturbance(model, settings)
    measured = fitted(model, sets, settings, disturb, seed=trial.seed, progress=trial.progress)
    measured.metrics |= _robustness(model, sets[1], settings, trial.seed) | _facts(test)
    return measured


def _feed(data: ChainStates, settings: StateSettings, device: torch.device) -> TensorFeed:
    return TensorFeed(data.states.to(device), data.labels.to(device), batch_size=settings.batch_size)


def _disturbance(model: nn.Module, settings: StateSettings) -> Disturb | None:
    def attacked(states: Tensor, y: Tensor, seed: int) -> Tensor:
        return local_unitary_attack(model, states, y, eps=settings.eps, steps=settings.attack_steps).states

    def turned(states: Tensor, y: Tensor, seed: int) -> Tensor:
        return random_local_unitary(states, eps=settings.eps, seed=seed).states

    return {"standard": None, "adversarial": attacked, "augmented": turned}[settings.training]


def _robustness(model: nn.Module, test: TensorFeed, settings: StateSettings, seed: int) -> dict[str, float]:
    """Accuracies and fidelities under attacks of all strengths, and under random turns of the same."""
    states, y = test.x, test.y
    found: dict[str, float] = {}
    single, many = {}, {}
    p = predict(model, states, batch_size=256).exp()[:, 0]
    slopes = []
    for eps in settings.levels:
        once = local_unitary_attack(model, states, y, eps=eps, steps=1, alpha=eps or 1.0).states
        attacked = local_unitary_attack(
            model, states, y, eps=eps, steps=settings.test_steps, n_starts=N_STARTS, seed=seed
        ).states
        noisy = random_local_unitary(states, eps=eps, seed=seed).states
        single[eps], many[eps], noise = (
            robust_accuracy(model, states, y, lambda *_, new=new: new) for new in (once, attacked, noisy)
        )
        fidelity = float(state_fidelity(states, attacked).mean())
        found |= {
            f"test_accuracy_attack_local_{eps:g}": many[eps],
            f"test_accuracy_noise_local_{eps:g}": noise,
            f"fidelity_{eps:g}": fidelity,
        }
        if eps:
            moved = (predict(model, attacked, batch_size=256).exp()[:, 0] - p).abs()
            slopes.append(float((moved / trace_distance(states, attacked).clamp_min(1e-12)).max()))
        if eps == settings.eps:
            found |= {
                "test_accuracy_attack_local": many[eps],
                "drop_in_accuracy_attack_local": many[0.0] - many[eps],
                "drop_in_accuracy_noise_local": many[0.0] - noise,
                "attacked_fidelity": fidelity,
                "random_fidelity": float(state_fidelity(states, noisy).mean()),
            }
    return found | consistency(single, many) | {"output_over_state_distance": max(slopes)}


def _facts(test: ChainStates) -> dict[str, float]:
    """What is known of the states themselves."""
    order = imbalance(test.states)
    return {
        "imbalance_thermal": float(order[test.labels == 0].mean()),
        "imbalance_localised": float(order[test.labels == 1].mean()),
        "norm_defect": float((torch.linalg.vector_norm(test.states, dim=1) - 1).abs().max()),
        "total_z_defect": float(z_means(test.states).sum(1).abs().max()),
    }
