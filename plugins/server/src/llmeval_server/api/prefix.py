"""Where the API's first version lies."""

API = "/api/v1"
