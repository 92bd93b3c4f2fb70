"""One module per model. Modelling libraries are imported here and nowhere else."""
