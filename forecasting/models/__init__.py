"""One module per model, each with a ``MODEL``. Modelling libraries are imported here and nowhere else."""
