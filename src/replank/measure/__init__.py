"""What can be measured: one measure, or one family of them, a file."""

from replank.measure.attacks import clamp_only, fgsm, pgd
from replank.measure.calibration import brier_score, expected_calibration_error, reliability_table
from replank.measure.ceiling import label_counts, majority_vote_ceiling
from replank.measure.classification import accuracy, negative_log_likelihood
from replank.measure.effects import factor_effects
from replank.measure.evaluation import evaluating, predict
from replank.measure.flops import FLOP_COUNTER, forward_flops
from replank.measure.fourier import FourierSpectrum, fourier_spectrum
from replank.measure.gradients import gradient_norms
from replank.measure.loss_floor import bounded_logit_floor
from replank.measure.memory import PeakMemory
from replank.measure.parameters import ParameterCounts, count_parameters
from replank.measure.probes import LinearProbe, effective_rank, knn_accuracy, linear_probe, probe_features
from replank.measure.regression import mean_absolute_error, mean_squared_error, r2
from replank.measure.resources import ResourceMeter, flushing_subnormals, subnormal_count
from replank.measure.robustness import adversarial_accuracy, noise_accuracy
from replank.measure.statistics import Interval, mean_interval
from replank.measure.timing import Stopwatch, throughput

__all__ = [
    "FLOP_COUNTER",
    "FourierSpectrum",
    "Interval",
    "LinearProbe",
    "ParameterCounts",
    "PeakMemory",
    "ResourceMeter",
    "Stopwatch",
    "accuracy",
    "adversarial_accuracy",
    "bounded_logit_floor",
    "brier_score",
    "clamp_only",
    "count_parameters",
    "effective_rank",
    "evaluating",
    "expected_calibration_error",
    "factor_effects",
    "fgsm",
    "flushing_subnormals",
    "forward_flops",
    "fourier_spectrum",
    "gradient_norms",
    "knn_accuracy",
    "label_counts",
    "linear_probe",
    "majority_vote_ceiling",
    "mean_absolute_error",
    "mean_interval",
    "mean_squared_error",
    "negative_log_likelihood",
    "noise_accuracy",
    "pgd",
    "predict",
    "probe_features",
    "r2",
    "reliability_table",
    "subnormal_count",
    "throughput",
]
