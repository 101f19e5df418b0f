"""What can be measured: one measure, or one family of them, a file."""

from replank.measure.attacks import bim, clamp_only, fgsm, pgd, random_noise_like
from replank.measure.calibration import brier_score, expected_calibration_error, reliability_table
from replank.measure.ceiling import label_counts, majority_vote_ceiling
from replank.measure.circuit_evaluations import CircuitEvaluations, count_circuit_evaluations
from replank.measure.classification import (
    accuracy,
    balanced_accuracy,
    matthews_correlation,
    negative_log_likelihood,
)
from replank.measure.effects import factor_effects
from replank.measure.evaluation import evaluating, predict
from replank.measure.fading_memory import echo_state_distance
from replank.measure.fidelity import state_fidelity, trace_distance
from replank.measure.flops import FLOP_COUNTER, forward_flops
from replank.measure.fourier import FourierSpectrum, fourier_spectrum
from replank.measure.gradients import count_moved, gradient_norms
from replank.measure.loss_floor import bounded_logit_floor
from replank.measure.memory import PeakMemory
from replank.measure.memory_capacity import MemoryCapacity, memory_capacity
from replank.measure.parameters import ParameterCounts, count_parameters
from replank.measure.probes import LinearProbe, effective_rank, knn_accuracy, linear_probe, probe_features
from replank.measure.regression import mean_absolute_error, mean_squared_error, normalised_mean_squared_error, r2
from replank.measure.resources import ResourceMeter, flushing_subnormals, subnormal_count
from replank.measure.robustness import (
    adversarial_accuracy,
    gradient_masking,
    noise_accuracy,
    robust_accuracy,
    transfer_accuracy,
)
from replank.measure.state_attacks import AttackedStates, local_unitary_attack, random_local_unitary, turned_locally
from replank.measure.statistics import Interval, mean_interval
from replank.measure.timing import Stopwatch, throughput

__all__ = [
    "FLOP_COUNTER",
    "AttackedStates",
    "CircuitEvaluations",
    "FourierSpectrum",
    "Interval",
    "LinearProbe",
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
    "count_circuit_evaluations",
    "count_moved",
    "count_parameters",
    "echo_state_distance",
    "effective_rank",
    "evaluating",
    "expected_calibration_error",
    "factor_effects",
    "fgsm",
    "flushing_subnormals",
    "forward_flops",
    "fourier_spectrum",
    "gradient_masking",
    "gradient_norms",
    "knn_accuracy",
    "label_counts",
    "linear_probe",
    "local_unitary_attack",
    "majority_vote_ceiling",
    "matthews_correlation",
    "mean_absolute_error",
    "mean_interval",
    "mean_squared_error",
    "memory_capacity",
    "negative_log_likelihood",
    "noise_accuracy",
    "normalised_mean_squared_error",
    "pgd",
    "predict",
    "probe_features",
    "r2",
    "random_local_unitary",
    "random_noise_like",
    "reliability_table",
    "robust_accuracy",
    "state_fidelity",
    "subnormal_count",
    "throughput",
    "trace_distance",
    "transfer_accuracy",
    "turned_locally",
]
