-- Run once, when the volume is empty; the database `mlflow` is there by POSTGRES_DB.
CREATE DATABASE jobs;
