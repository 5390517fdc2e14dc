"""The venue's wire protocols."""
