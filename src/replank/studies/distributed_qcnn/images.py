"""A trial on images: train the arm, test it, and test the cut circuit with finite shots."""

from __future__ import annotations

from functools import partial
from typing import cast

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor, nn

from replank.circuits.cutting import counting_executions
from replank.datasets import GENERATED, Dataset
from replank.datasets.medical_mnist import shortcuts
from replank.lab.training import Budget, predictions, train
from replank.lab.trial import Measurements, Trial
from replank.measure.classification import accuracy
from replank.measure.evaluation import evaluating
from replank.parts.linear.cut_qcnn import CutQCNNLayer
from replank.seeding import torch_stream
from replank.studies.distributed_qcnn.data import feeds, source
from replank.studies.distributed_qcnn.model import ladder
from replank.studies.distributed_qcnn.settings import DistributedSettings
from replank.studies.distributed_qcnn.task import Diagnosis

WITH_SHORTCUTS = "medical_mnist"


def run_images(trial: Trial) -> Measurements:
    """Train one arm; arms of one seed share images, order and whatever is not in the middle."""
    settings: DistributedSettings = trial.settings
    data = source(trial.dataset, settings, trial.seed)
    training, test = feeds(data, settings, trial.device)
    network = ladder(settings, data.card.shape, len(data.card.classes)).model(trial.arm.name, seed=trial.seed)
    model = cast(nn.Sequential, network).to(trial.device)
    plan = Budget(settings.epochs, partial(torch.optim.Adam, lr=settings.lr))
    measured = train(model, Diagnosis(), training, test, plan, seed=trial.seed, progress=trial.progress)
    majority = float(np.bincount(data.test_y).max() / len(data.test_y))
    measured.metrics |= {
        "middle_parameters": float(sum(each.numel() for each in model.get_submodule("middle").parameters())),
        "majority_accuracy": majority,
        "test_accuracy_above_majority": measured.metrics["test_accuracy"] - majority,
        "synthetic": float(trial.key.dataset == GENERATED),
    }
    if isinstance(model.get_submodule("middle"), CutQCNNLayer):
        angles, labels = predictions(model[:-2], test)
        measured.metrics |= cut_metrics(model, angles, labels, settings.shots, trial.seed)
    if trial.key.dataset == WITH_SHORTCUTS and trial.arm.name == "qcnn":
        measured.metrics["test_accuracy_of_shortcuts"] = shortcut_accuracy(data, trial.seed)
    return measured


def cut_metrics(
    model: nn.Sequential, angles: Tensor, labels: Tensor, numbers_of_shots: tuple[int, ...], seed: int
) -> dict[str, float]:
    """The trained circuit, cut and uncut, on the angles of the test images: differences, executions, and with shots.

    Args:
        model: whose middle is a :class:`CutQCNNLayer`.
        angles: what goes into it, ``(n, 8)``.
        labels: of the images.
        numbers_of_shots: of each execution; the uncut circuit gets as many in all as the fragments together.
        seed: of the shots.
    """
    cut, head = cast(CutQCNNLayer, model.get_submodule("middle")), model.get_submodule("head")
    with evaluating(model):
        with counting_executions() as count:
            exact = cut(angles)
        found = {
            "difference_to_uncut": float((exact - cut.uncut()(angles)).abs().max()),
            "executions": float(count.executions),
            "widest_circuit": float(count.widest),
        }
        for shots in numbers_of_shots:
            stream = torch_stream(seed, "shots", shots)
            estimates = {
                "cut": cut.on(shots=shots, generator=stream)(angles),
                "uncut": cut.uncut().on(shots=shots * count.executions, generator=stream)(angles),
            }
            for name, estimate in estimates.items():
                found[f"test_accuracy_at_{name}_shots_{shots}"] = accuracy(head(estimate), labels)
                found[f"expectation_error_at_{name}_shots_{shots}"] = float((estimate - exact).square().mean().sqrt())
            found[f"estimates_outside_at_cut_shots_{shots}"] = float((estimates["cut"].abs() > 1).float().mean())
    return found


def shortcut_accuracy(data: Dataset, seed: int) -> float:
    """Test accuracy of a random forest on three numbers an image that see no anatomy."""
    forest = RandomForestClassifier(100, random_state=seed, n_jobs=1)
    return float(forest.fit(shortcuts(data.train_x), data.train_y).score(shortcuts(data.test_x), data.test_y))
