"""What can be measured: one measure, or one family of them, a file."""

from replank.measure.attacks import bim, clamp_only, fgsm, pgd, random_noise_like
from replank.measure.band import gaussian_floor, out_of_band_energy, out_of_band_error, slepian_dimension
from replank.measure.calibration import brier_score, expected_calibration_error, reliability_table
from replank.measure.ceiling import label_counts, majority_vote_ceiling
from replank.measure.circuit_evaluations import CircuitEvaluations, count_circuit_evaluations
from replank.measure.classification import (
    accuracy,
    balanced_accuracy,
    matthews_correlation,
    negative_log_likelihood,
)
from replank.measure.dead_neurons import DNRReport, FunctionalReLUWarning, LayerDNR, dead_neuron_rate
from replank.measure.displacement import jacobian_determinant, squared_gradient
from replank.measure.effects import factor_effects
from replank.measure.evaluation import evaluating, predict
from replank.measure.fading_memory import echo_state_distance
from replank.measure.fidelity import state_fidelity, trace_distance
from replank.measure.flops import FLOP_COUNTER, forward_flops
from replank.measure.fourier import FourierSpectrum, fourier_spectrum
from replank.measure.gradients import count_moved, gradient_norms
from replank.measure.kept_bytes import kept_bytes
from replank.measure.loss_floor import bounded_logit_floor
from replank.measure.macs import conv_macs
from replank.measure.magnitude import Magnitudes, magnitude_diagnostics
from replank.measure.memory import PeakMemory
from replank.measure.memory_capacity import MemoryCapacity, memory_capacity
from replank.measure.numerical_rank import numerical_rank
from replank.measure.overdetermination import overdetermination_ratio
from replank.measure.parameters import ParameterCounts, count_parameters
from replank.measure.probes import LinearProbe, effective_rank, knn_accuracy, linear_probe, probe_features
from replank.measure.regression import (
    mean_absolute_error,
    mean_squared_error,
    normalised_mean_squared_error,
    r2,
    relative_error,
)
from replank.measure.resources import ResourceMeter, flushing_subnormals, subnormal_count
from replank.measure.ridgelet import (
    mexican_hat,
    plancherel_constant,
    ridgelet_energy,
    ridgelet_leakage,
    ridgelet_transform,
    ridgelet_transform_by_fourier,
)
from replank.measure.robustness import (
    adversarial_accuracy,
    gradient_masking,
    noise_accuracy,
    robust_accuracy,
    transfer_accuracy,
)
from replank.measure.scaling import Cost, cost, crossover, log_log_slope
from replank.measure.state_attacks import AttackedStates, local_unitary_attack, random_local_unitary, turned_locally
from replank.measure.statistics import Interval, mean_interval
from replank.measure.timing import Stopwatch, throughput

__all__ = [
    "FLOP_COUNTER",
    "AttackedStates",
    "CircuitEvaluations",
    "Cost",
    "DNRReport",
    "FourierSpectrum",
    "FunctionalReLUWarning",
    "Interval",
    "LayerDNR",
    "LinearProbe",
    "Magnitudes",
    "MemoryCapacity",
    "ParameterCounts",
    "PeakMemory",
    "ResourceMeter",
    "Stopwatch",
    "accuracy",
    "adversarial_accuracy",
    "balanced_accuracy",
    "bim",
    "bounded_logit_floor",
    "brier_score",
    "clamp_only",
    "conv_macs",
    "cost",
    "count_circuit_evaluations",
    "count_moved",
    "count_parameters",
    "crossover",
    "dead_neuron_rate",
    "echo_state_distance",
    "effective_rank",
    "evaluating",
    "expected_calibration_error",
    "factor_effects",
    "fgsm",
    "flushing_subnormals",
    "forward_flops",
    "fourier_spectrum",
    "gaussian_floor",
    "gradient_masking",
    "gradient_norms",
    "jacobian_determinant",
    "kept_bytes",
    "knn_accuracy",
    "label_counts",
    "linear_probe",
    "local_unitary_attack",
    "log_log_slope",
    "magnitude_diagnostics",
    "majority_vote_ceiling",
    "matthews_correlation",
    "mean_absolute_error",
    "mean_interval",
    "mean_squared_error",
    "memory_capacity",
    "mexican_hat",
    "negative_log_likelihood",
    "noise_accuracy",
    "normalised_mean_squared_error",
    "numerical_rank",
    "out_of_band_energy",
    "out_of_band_error",
    "overdetermination_ratio",
    "pgd",
    "plancherel_constant",
    "predict",
    "probe_features",
    "r2",
    "random_local_unitary",
    "random_noise_like",
    "relative_error",
    "reliability_table",
    "ridgelet_energy",
    "ridgelet_leakage",
    "ridgelet_transform",
    "ridgelet_transform_by_fourier",
    "robust_accuracy",
    "slepian_dimension",
    "squared_gradient",
    "state_fidelity",
    "subnormal_count",
    "throughput",
    "trace_distance",
    "transfer_accuracy",
    "turned_locally",
]
