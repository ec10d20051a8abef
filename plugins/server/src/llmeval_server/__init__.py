"""llmeval as a service: a durable job queue, a job API, pages, and routes of other plugins."""
