"""llmeval as a service: jobs that outlive any process, pages, and routes of other plugins."""
