"""The path of the API's first version."""

API = "/api/v1"
