"""What if: paths changed by a reader's assumptions, stored apart from forecasts and never scored as such."""
