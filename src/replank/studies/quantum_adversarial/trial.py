"""One trial of any experiment of this study."""

from __future__ import annotations

from replank.lab.trial import Measurements, Trial
from replank.studies.quantum_adversarial.image_trial import run_images
from replank.studies.quantum_adversarial.settings import StateSettings, TransferSettings
from replank.studies.quantum_adversarial.state_trial import run_states
from replank.studies.quantum_adversarial.transfer_trial import run_transfer


def run(trial: Trial) -> Measurements:
    """Train and attack one arm; the settings say what it classifies."""
    if isinstance(trial.settings, StateSettings):
        return run_states(trial)
    return run_transfer(trial) if isinstance(trial.settings, TransferSettings) else run_images(trial)
