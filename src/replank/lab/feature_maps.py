"""One classifier on interchangeable feature maps: what do the features contribute, all else being equal?"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
from torch import Tensor, nn

from replank.features.standardise import Standardiser
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, train
from replank.lab.trial import Measurements, Progress
from replank.measure.evaluation import predict
from replank.measure.probes import Samples, probe_features
from replank.seeding import isolated

MapBuilder = Callable[[], nn.Module]
"""Builds a map ``(n, ...) -> (n, n_features)``; whatever it draws comes from the seed's stream for parts."""

_AT_ONCE = 1000  # samples that are mapped at once


@dataclass(frozen=True)
class FeatureMapComparison:
    """The same downstream classifier, budget and seeds for each map of one input.

    Features are standardised by the training features at the start. A map that has something to train is trained with
    the classifier, end to end; of any other the features are computed once. Maps of one seed share the data order, the
    classifier's dropout, and its initial values if ``head`` draws those that depend on the number of features last.

    Args:
        head: from a number of features to a classifier ``(n, n_features) -> (n, n_classes)``.
        budget: epochs and optimiser.
        batch_size: samples a step.
        n_neighbours: of the nearest-neighbour probe.
    """

    head: Callable[[int], nn.Module]
    budget: Budget
    batch_size: int
    n_neighbours: int = 5

    def measure(
        self, build: MapBuilder, training: Samples, test: Samples, *, seed: int, progress: Progress
    ) -> Measurements:
        """Train the classifier on one map's features, and probe these.

        Args:
            build: builds the map.
            training: inputs of the map, with labels.
            test: the same of held-out samples.
            seed: of what is drawn.
            progress: told after each evaluation.

        Returns:
            What :func:`replank.lab.training.train` measures, and :func:`replank.measure.probes.probe_features` of the
            features, after training where they are trained. ``parameters`` are those of map and classifier.

        Raises:
            TrialError: the loss is no longer finite.
        """
        with isolated(seed, "part"):
            feature_map = build().to(training[0].device)
        with isolated(seed, "part", "output"):  # shots, if there are any
            train_x, test_x = _mapped(feature_map, training[0]), _mapped(feature_map, test[0])
        standardise = Standardiser().fit(train_x)
        with isolated(seed, "host"):
            head = self.head(train_x.shape[1]).to(train_x.device)
        if any(parameter.requires_grad for parameter in feature_map.parameters()):
            model: nn.Module = nn.Sequential(
                OrderedDict(features=feature_map, standardise=standardise, classifier=head)
            )
            measured = self._train(model, training, test, seed, progress)
            train_x, test_x = _mapped(feature_map, training[0]), _mapped(feature_map, test[0])
        else:
            model = nn.Sequential(OrderedDict(classifier=head))
            frozen = (standardise(train_x), training[1]), (standardise(test_x), test[1])
            measured = self._train(model, *frozen, seed, progress)
        probed = probe_features(
            (standardise(train_x), training[1]), (standardise(test_x), test[1]), n_neighbours=self.n_neighbours
        )
        return Measurements(measured.metrics | probed, measured.curves)

    def table(
        self, maps: Mapping[str, MapBuilder], training: Samples, test: Samples, *, seeds: Iterable[int]
    ) -> pd.DataFrame:
        """All maps with all seeds: a row each, as rules of claims read them.

        Args:
            maps: builders by name.
            training: inputs of the maps, with labels.
            test: the same of held-out samples.
            seeds: the same for each map.
        """
        rows = [
            {"arm": name, "seed": seed, "status": "done", "error": None}
            | self.measure(build, training, test, seed=seed, progress=_quiet).metrics
            for seed in seeds
            for name, build in maps.items()
        ]
        return pd.DataFrame(rows)

    def _train(self, model: nn.Module, training: Samples, test: Samples, seed: int, progress: Progress) -> Measurements:
        train_feed, test_feed = (TensorFeed(x, y, batch_size=self.batch_size) for x, y in (training, test))
        return train(model, Classification(), train_feed, test_feed, self.budget, seed=seed, progress=progress)


def _mapped(feature_map: nn.Module, inputs: Tensor) -> Tensor:
    return predict(feature_map, inputs, batch_size=_AT_ONCE)


def _quiet(epoch: int, n_epochs: int, values: Mapping[str, float]) -> None:
    """Tell nobody."""
