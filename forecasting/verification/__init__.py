"""How good past forecasts were: scores, the one bootstrap, the one verdict, errors by group."""
