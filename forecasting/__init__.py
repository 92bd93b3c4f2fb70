"""Probabilistic forecasts per series: models, backtest, combination, trajectories, scores. Pure: frame to frame."""
