"""Early warning: declarative rules, their levels and reasons, and their record at past origins."""
