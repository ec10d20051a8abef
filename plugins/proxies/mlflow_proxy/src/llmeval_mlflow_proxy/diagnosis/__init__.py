"""What works between llmeval and MLflow: findings, and the page that shows them."""
