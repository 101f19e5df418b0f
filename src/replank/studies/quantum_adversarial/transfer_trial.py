"""All heads of one seed, trained on clean images, and what the examples made against one do to the others."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from replank.lab.trial import Measurements, Trial
from replank.measure.robustness import transfer_accuracy
from replank.studies.quantum_adversarial.data import feeds, pair
from replank.studies.quantum_adversarial.heads import HEADS, image_classifier
from replank.studies.quantum_adversarial.image_trial import strongest
from replank.studies.quantum_adversarial.settings import LEARNING_RATES, TransferSettings
from replank.studies.quantum_adversarial.training import fitted


def run_transfer(trial: Trial) -> Measurements:
    """The heads are those of the standard arms, with the same seed."""
    settings: TransferSettings = trial.settings
    sets = feeds(pair(trial.dataset, settings, trial.seed), settings, trial.device)
    models, clean = {}, {}
    for number, head in enumerate(HEADS):
        own = replace(settings, head=head, lr=LEARNING_RATES[head])
        models[head] = image_classifier(own, trial.seed).to(trial.device)
        fit = fitted(models[head], sets, own, None, seed=trial.seed, progress=lambda *_: None)
        clean[head] = fit.metrics["test_accuracy"]
        trial.progress(number + 1, len(HEADS), {"test_accuracy": clean[head]})
    attack = partial(strongest, eps=settings.eps, settings=settings)
    test = sets[1]
    table = np.array(
        [[transfer_accuracy(models[to], models[by], test.x, test.y, attack) for to in HEADS] for by in HEADS]
    )
    metrics = {
        f"{what}_attack_from_{by}_on_{to}": value
        for by, row in zip(HEADS, table, strict=True)
        for to, accuracy in zip(HEADS, row, strict=True)
        for what, value in {"test_accuracy": accuracy, "drop_in_accuracy": clean[to] - accuracy}.items()
    }
    return Measurements(
        {"test_accuracy": clean["interleaved"]} | metrics, artefacts={"transfer": table.astype(np.float64)}
    )
