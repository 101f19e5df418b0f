"""One trial: choose strings without relatives on both sides, tokenise them, train one arm, measure it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from replank.datasets.homologues import Rule, homologues
from replank.features.standardise import Standardiser
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, evaluate, predictions, train
from replank.lab.trial import Measurements, Trial
from replank.measure.classification import accuracy, balanced_accuracy, matthews_correlation
from replank.parts.sequence_encoder import ConvTensorNetwork, PathTensorNetwork
from replank.seeding import isolated
from replank.studies.quantum_tensor_networks_protein.data import Chosen, chosen, tokenizer, tokens
from replank.studies.quantum_tensor_networks_protein.forgetting import forgetting_curve, recency
from replank.studies.quantum_tensor_networks_protein.model import (
    EMBEDDED,
    EmbeddingLogistic,
    build,
    embedded,
    parameters_as_published,
)
from replank.studies.quantum_tensor_networks_protein.settings import ProteinSettings

EVALUATION_BATCH = 100
"""A tree's tensors for so many sequences stay in a processor's cache."""

Inputs = Mapping[str, Tensor]
"""What models see of each part's strings, by the name of the part."""


class UnequalClasses(Classification):
    """Classification of which the mean accuracy of the classes counts, not that of the samples."""

    headline = "balanced_accuracy"

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Those of :class:`Classification`, balanced accuracy and Matthews' correlation."""
        return {
            **super().metrics(output, target),
            "balanced_accuracy": balanced_accuracy(output, target),
            "mcc": matthews_correlation(output, target),
        }


def run(trial: Trial) -> Measurements:
    """Train one arm; strings, their order and the start depend on the seed, and strings on nothing else."""
    settings: ProteinSettings = trial.settings
    split = chosen(trial.sequences, settings, trial.seed)
    inputs = _inputs(trial.arm.name, split, settings, trial.device)
    with isolated(trial.seed, "part"):
        model = _model(trial.arm.name, settings, inputs["train"]).to(trial.device)
    feeds = {
        part: TensorFeed(
            x,
            torch.from_numpy(split.parts[part].labels).to(trial.device),
            batch_size=settings.batch_size,
            evaluation_batch_size=EVALUATION_BATCH,
        )
        for part, x in inputs.items()
    }
    task = UnequalClasses()
    measured = train(
        model,
        task,
        feeds["train"],
        feeds["test"],
        _budget(settings),
        seed=trial.seed,
        progress=trial.progress,
        validation=feeds.get("valid"),
    )
    if "hard" in feeds:
        measured.metrics |= evaluate(model, task, feeds["hard"], "hard_")
    measured.metrics |= dict(split.facts) | _about_inputs(inputs) | parameters_as_published(trial.arm.name)
    measured.metrics |= _of_relatives(model, feeds["test"], split, settings)
    if isinstance(model, PathTensorNetwork | ConvTensorNetwork):
        metrics, artefacts = _of_network(model, inputs["test"], settings, trial.seed)
        return replace(measured, metrics=measured.metrics | metrics, artefacts=artefacts)
    return measured


def _inputs(arm: str, split: Chosen, settings: ProteinSettings, device: torch.device) -> Inputs:
    """Token numbers of the first residues; numbers for whole proteins for the arm that sees those."""
    if arm != EMBEDDED:
        return {name: torch.from_numpy(tokens(part.strings, settings)).to(device) for name, part in split.parts.items()}
    found = {
        name: torch.from_numpy(embedded(settings.embed_fn, part.strings)).to(device)
        for name, part in split.parts.items()
    }
    standardise = Standardiser().fit(found["train"])
    return {name: standardise(features) for name, features in found.items()}


def _model(arm: str, settings: ProteinSettings, training: Tensor) -> nn.Module:
    if arm == EMBEDDED:
        return EmbeddingLogistic(training.shape[1])
    return build(arm, settings, tokenizer(settings).n_tokens)


def _budget(settings: ProteinSettings) -> Budget:
    return Budget(
        settings.epochs,
        partial(torch.optim.AdamW, lr=settings.lr),
        limit_gradients=partial(nn.utils.clip_grad_value_, clip_value=settings.clip),
        evaluate_every=settings.evaluate_every,
    )


# -- what is measured besides ------------------------------------------------------------------------------------------


def _about_inputs(inputs: Inputs) -> dict[str, float]:
    """Sizes, and how many test inputs are training inputs: proteins may differ behind what a model sees of them."""
    known = {row.tobytes() for row in inputs["train"].cpu().numpy()}
    same = sum(row.tobytes() in known for row in inputs["test"].cpu().numpy())
    return {"same_inputs": float(same), "n_train": float(len(inputs["train"])), "n_test": float(len(inputs["test"]))}


def _of_relatives(model: nn.Module, test: TensorFeed, split: Chosen, settings: ProteinSettings) -> dict[str, float]:
    """Accuracy on test strings with and without relatives in training, where these were kept."""
    if settings.homologues == "left out":
        return {}
    rule = Rule(settings.kmer_rule, settings.shared_words)
    related = homologues(split.parts["test"].strings, split.parts["train"].strings, rule)
    outputs, targets = predictions(model, test)
    halves = (("relatives", torch.from_numpy(related)), ("others", torch.from_numpy(~related)))
    return {
        f"test_{name}_accuracy": accuracy(outputs[rows], targets[rows]) for name, rows in halves if bool(rows.any())
    }


@torch.no_grad()
def _of_network(
    model: PathTensorNetwork | ConvTensorNetwork, test: Tensor, settings: ProteinSettings, seed: int
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """How far probabilities are from summing to 1, how many runs post-selection keeps, what is forgotten."""
    off = (copy.deepcopy(model).double().probabilities(test[:EVALUATION_BATCH]).sum(-1) - 1).abs().max()
    acceptance = torch.cat([model.log_acceptance(batch) for batch in torch.split(test, EVALUATION_BATCH)]).double()
    metrics = {
        "largest_sum_error": float(off),
        "mean_acceptance": float(acceptance.exp().mean()),
        "mean_log10_acceptance": float(acceptance.mean() / np.log(10)),
    }
    if not settings.n_forgetting:
        return metrics, {}
    curve = forgetting_curve(model, test[: settings.n_forgetting], seed=seed)
    known = curve[np.isfinite(curve)]
    metrics |= {
        "recency": recency(curve),
        "first_token_distance": float(known[0]),
        "last_token_distance": float(known[-1]),
    }
    return metrics, {"forgetting": curve}
