"""HTTP transports below `openai.json_client`: one file each, chosen in `transport_choice`."""
