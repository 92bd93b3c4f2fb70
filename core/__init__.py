"""What every room shares: time, frame contracts, settings, errors and logging. Imports no other room."""
