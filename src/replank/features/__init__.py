"""Maps from inputs to features, fitted on training data alone or fixed: one map a file."""

from replank.features.angle_scaler import AngleScaler
from replank.features.autoencoder import DenseAutoencoder
from replank.features.least_squares import LeastSquares
from replank.features.pca import PCAProjector
from replank.features.quantum_map import QuantumFeatureMap, cnot_cascade, feature_circuit, product_xor_features
from replank.features.random_feature_net import RandomFeatureNet
from replank.features.random_maps import RandomFourierFeatures, RandomReLUFeatures
from replank.features.ridge_readout import RidgeReadout, ridge_by_validation
from replank.features.standardise import Standardiser
from replank.features.threshold import ContradictionReport, ThresholdEncoder, remove_contradictions
from replank.features.unit_norm import UnitNorm

__all__ = [
    "AngleScaler",
    "ContradictionReport",
    "DenseAutoencoder",
    "LeastSquares",
    "PCAProjector",
    "QuantumFeatureMap",
    "RandomFeatureNet",
    "RandomFourierFeatures",
    "RandomReLUFeatures",
    "RidgeReadout",
    "Standardiser",
    "ThresholdEncoder",
    "UnitNorm",
    "cnot_cascade",
    "feature_circuit",
    "product_xor_features",
    "remove_contradictions",
    "ridge_by_validation",
]
