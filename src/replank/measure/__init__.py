"""What can be measured: one measure, or one family of them, a file."""

from replank.measure.calibration import brier_score, expected_calibration_error, reliability_table
from replank.measure.classification import accuracy, negative_log_likelihood
from replank.measure.evaluation import evaluating, predict
from replank.measure.flops import FLOP_COUNTER, forward_flops
from replank.measure.gradients import gradient_norms
from replank.measure.loss_floor import bounded_logit_floor
from replank.measure.memory import PeakMemory
from replank.measure.parameters import ParameterCounts, count_parameters
from replank.measure.regression import mean_absolute_error, mean_squared_error, r2
from replank.measure.robustness import adversarial_accuracy, noise_accuracy
from replank.measure.statistics import Interval, mean_interval
from replank.measure.timing import Stopwatch, throughput

__all__ = [
    "FLOP_COUNTER",
    "Interval",
    "ParameterCounts",
    "PeakMemory",
    "Stopwatch",
    "accuracy",
    "adversarial_accuracy",
    "bounded_logit_floor",
    "brier_score",
    "count_parameters",
    "evaluating",
    "expected_calibration_error",
    "forward_flops",
    "gradient_norms",
    "mean_absolute_error",
    "mean_interval",
    "mean_squared_error",
    "negative_log_likelihood",
    "noise_accuracy",
    "predict",
    "r2",
    "reliability_table",
    "throughput",
]
