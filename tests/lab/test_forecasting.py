from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from replank import datasets
from replank.errors import DataError
from replank.lab.feed import TensorFeed
from replank.lab.forecasting import Forecast, Forecaster, Persistence, forecasting_data, measured, solved
from replank.measure import r2
from replank.parts.recurrent import QuantumFastWeights
from replank.seeding import isolated, torch_stream

F64 = torch.float64


def pendulum(**options):
    return forecasting_data(datasets.load("damped_pendulum").values, **options)


def test_the_published_split_of_the_pendulum():
    data = pendulum(official_scaling=True)
    assert data.train_x[0, 0, 0] == 1.0
    assert (data.train_x.shape, data.test_x.shape) == ((157, 4, 1), (78, 4, 1))
    assert (data.train_y.shape, data.test_y.shape) == ((157, 1), (78, 1))
    windows = torch.cat((data.train_x, data.test_x))
    assert torch.equal(windows[1:, :-1], windows[:-1, 1:])
    assert torch.equal(windows[1:, -1], torch.cat((data.train_y, data.test_y))[:-1])


def test_the_scale_knows_nothing_of_the_test_part_unless_it_is_the_published_one():
    rising = np.linspace(0.0, 1.0, 50) ** 2
    train = forecasting_data(rising)
    assert train.train_y.max() == pytest.approx(1, abs=1e-15)
    assert train.test_y.min() > 1
    changed = rising.copy()
    changed[40:] = 5.0
    assert torch.equal(forecasting_data(changed).train_x, train.train_x)
    leaking = [forecasting_data(each, official_scaling=True).train_x for each in (rising, changed)]
    assert not torch.equal(*leaking)


def test_a_driven_series_is_predicted_from_its_drive_and_both_have_their_own_scale():
    drive, values = np.sin(np.arange(60.0)), np.arange(60.0)
    data = forecasting_data(values, 3, drive=drive, official_scaling=True)
    low, high = drive.min(), drive.max()
    np.testing.assert_allclose(data.train_x[5, :, 0], 2 * (drive[5:8] - low) / (high - low) - 1)
    np.testing.assert_allclose(data.train_y[5, 0], 2 * values[8] / 59 - 1)


def test_training_batches_stay_in_order_when_they_are_to():
    training, test = pendulum().feeds(10)
    assert torch.equal(torch.cat([x for x, _ in training.shuffled(3, 1)]), training.x)
    assert training.n_batches == 16
    mixed = pendulum().feeds(10, in_order=False)[0]
    assert not torch.equal(torch.cat([x for x, _ in mixed.shuffled(3, 1)]), training.x)
    assert isinstance(test, TensorFeed)


def test_persistence_and_autoregression_on_the_pendulum():
    """The card's figures: 3.2e-3, and 1e-7, which whoever leaves it out hides the result."""
    data = pendulum(official_scaling=True)
    assert measured(Persistence(), data).metrics["test_loss"] == pytest.approx(3.2e-3, rel=0.02)
    linear = solved(nn.Flatten(), data, penalties=(0.0,))
    assert measured(linear, data).metrics["trainable_parameters"] == 5
    assert 1e-8 < measured(linear, data).metrics["test_loss"] < 1e-6
    window, target = data.train_x.squeeze(-1), data.train_y
    columns = torch.cat((window, torch.ones(len(window), 1, dtype=F64)), 1)
    expected = columns @ torch.linalg.lstsq(columns, target).solution
    torch.testing.assert_close(linear(data.train_x), expected)


def test_an_autoregression_finds_the_recurrence_of_a_sine():
    data = forecasting_data(np.sin(0.3 * np.arange(100.0)))
    found = measured(solved(nn.Flatten(), data, penalties=(0.0,)), data).metrics
    assert found["test_loss"] < 1e-20
    assert found["test_log10nmse"] < -20


def test_the_last_output_is_read():
    with isolated(0, "part"):
        core, head = nn.LSTM(1, 3, batch_first=True, dtype=F64), nn.Linear(3, 2, dtype=F64)
        own = QuantumFastWeights(1, 2, n_qubits=3, n_readout=2, batch_first=True, dtype=F64)
    windows = torch.randn(5, 4, 1, dtype=F64, generator=torch_stream(0, "windows"))
    torch.testing.assert_close(Forecaster(core, head)(windows), head(core(windows)[1][0][0]))
    torch.testing.assert_close(Forecaster(own)(windows), own(windows)[0][:, -1])


def test_errors_come_in_units_of_the_variance_too():
    stream = torch_stream(0, "errors")
    output, target = torch.randn(2, 30, 1, dtype=F64, generator=stream)
    found = Forecast().metrics(output, target)
    assert found["nmse"] == pytest.approx(1 - r2(output, target))
    assert found["log10nmse"] == pytest.approx(np.log10(found["nmse"]))
    assert Forecast().metrics(3 * output, 3 * target)["nmse"] == pytest.approx(found["nmse"])
    assert np.isfinite(Forecast().metrics(target, target)["log10nmse"])


@pytest.mark.parametrize(
    ("values", "options", "error", "law"),
    [
        (np.arange(5.0), {}, DataError, r"at least length \+ 2"),
        (np.arange(6.0), {}, DataError, "windows to train and to test on, got 0 and 1"),
        (np.ones(40), {}, DataError, "must vary where its scale is taken, got 1.0 for all of the first 27 values"),
        (np.r_[np.zeros(30), 1.0, np.zeros(9)], {}, DataError, "must vary where its scale is taken"),
        (np.arange(40.0), {"train_share": 1.0}, ValueError, r"must be in \(0, 1\), got train_share=1.0"),
        (np.arange(40.0), {"length": 0}, ValueError, "at least one step"),
    ],
)
def test_series_that_can_not_be_forecast_are_refused(values, options, error, law):
    with pytest.raises(error, match=law):
        forecasting_data(values, **options)
