"""One trial: of images, of equality, or of the price of shots."""

from __future__ import annotations

from replank.lab.trial import Measurements, Trial
from replank.studies.distributed_qcnn.equality import run_equality
from replank.studies.distributed_qcnn.images import run_images
from replank.studies.distributed_qcnn.overhead import run_overhead
from replank.studies.distributed_qcnn.settings import DistributedSettings


def run(trial: Trial) -> Measurements:
    """Run what the settings ask for."""
    settings: DistributedSettings = trial.settings
    match settings.problem:
        case "images":
            return run_images(trial)
        case "equality":
            return run_equality(trial)
        case "overhead":
            return run_overhead(trial)
