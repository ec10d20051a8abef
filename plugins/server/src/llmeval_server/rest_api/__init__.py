"""The job API: /api/v1, its documentation, health and metrics."""
