"""HTTP transports below `http.json_client`: one file each, chosen in `transport_choice`."""
