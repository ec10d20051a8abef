"""What the user reads when MLflow refuses."""

from __future__ import annotations

import pytest
from llmeval_mlflow_tracker.error_mapping import map_error
from llmeval_mlflow_tracker.mlflow_errors import public_uri


class ForeignError(Exception):
    def __init__(self, text: str, error_code: str = "INTERNAL_ERROR") -> None:
        super().__init__(text)
        self.error_code = error_code


def test_a_refused_host_is_told_with_its_cure() -> None:
    err = ForeignError(
        "API request to endpoint failed with error code 403 != 200. Response body: "
        "'Invalid Host header - possible DNS rebinding attack detected'",
        "PERMISSION_DENIED",
    )

    assert str(map_error(err, "http://mlflow:5000")) == (
        "MLflow at http://mlflow:5000 refuses requests for the host 'mlflow:5000' (403)\n"
        "  try:   start it with "
        "MLFLOW_SERVER_ALLOWED_HOSTS=mlflow:5000,localhost:*,127.0.0.1:*"
    )


def test_a_missing_login_is_told_with_its_cure() -> None:
    err = ForeignError("failed with error code 401 != 200", "UNAUTHENTICATED")

    assert str(map_error(err, "https://m")) == (
        "MLflow at https://m wants a login (401)\n"
        "  try:   set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, "
        "or MLFLOW_TRACKING_TOKEN"
    )


def test_an_old_schema_is_told_with_its_cure() -> None:
    err = ForeignError("Detected out-of-date database schema (found version a, but expected b).")

    assert str(map_error(err, "sqlite:////x.db")) == (
        "the database sqlite:////x.db was made by another version of MLflow\n"
        "  try:   back it up, then: mlflow db upgrade sqlite:////x.db"
    )


@pytest.mark.parametrize("reason", ["file is not a database", "database disk image is malformed"])
def test_a_damaged_database_is_told_with_its_cure(reason: str) -> None:
    err = ForeignError(f"(sqlite3.DatabaseError) {reason}\n[SQL: SELECT name FROM sqlite_master]")

    assert str(map_error(err, "sqlite:////x.db")) == (
        "the database sqlite:////x.db is damaged, or is none of SQLite's\n"
        "  try:   put a backup in its place; or move it away, and `llmeval trackers copy mlflow`"
        " fills a new one"
    )


def test_the_statement_that_a_database_refuses_is_left_out() -> None:
    err = ForeignError("(sqlite3.OperationalError) odd\n[SQL: SELECT 1]\n(Background on ...)")

    assert map_error(err, "sqlite:////x.db").what == (
        "MLflow at sqlite:////x.db: (sqlite3.OperationalError) odd"
    )


def test_an_html_answer_is_told() -> None:
    err = ForeignError(
        "API request to endpoint was successful but the response body was not in a valid JSON "
        "format. Response body: '<html>'"
    )

    assert str(map_error(err, "http://m")) == (
        "what answers at http://m is not MLflow's API\n"
        "  try:   check tracking_uri: it is the server's root, and a proxy may ask for a login"
    )


@pytest.mark.parametrize(
    ("text", "code", "kind"),
    [
        ("failed with exception: too many 503 error responses", "INTERNAL_ERROR", "transient"),
        ("failed with exception: Connection reset by peer", "INTERNAL_ERROR", "transient"),
        ("failed with timeout exception", "INTERNAL_ERROR", "transient"),
        ("(sqlite3.OperationalError) database is locked", "INTERNAL_ERROR", "transient"),
        ("IntegrityError", "BAD_REQUEST", "transient"),
        ("Run with id=1 not found", "RESOURCE_DOES_NOT_EXIST", "gone"),
        ("The run 1 must be in the 'active' state.", "INVALID_PARAMETER_VALUE", "gone"),
        ("Changing param values is not allowed.", "INVALID_PARAMETER_VALUE", "conflict"),
        ("Invalid metric name", "INVALID_PARAMETER_VALUE", "invalid"),
        ("surprise", "INTERNAL_ERROR", "other"),
    ],
)
def test_a_refusal_has_the_kind_that_decides_what_follows(text: str, code: str, kind: str) -> None:
    refused = map_error(ForeignError(text, code), "http://m")

    assert refused.kind == kind
    assert refused.permanent == (kind == "invalid")


def test_passwords_never_appear() -> None:
    uri = "https://me:s3cret@mlflow.example/base"
    err = ForeignError(f"API request to {uri}/api failed with exception: refused for me:s3cret")

    told = str(map_error(err, uri)) + str(map_error(ForeignError(f"odd {uri} s3cret"), uri))

    assert "s3cret" not in told
    coded = "postgresql://me:s3cret%21@db/x"
    assert "s3cret" not in str(map_error(ForeignError("login of me with s3cret! failed"), coded))
    assert public_uri(uri) == "https://mlflow.example/base"
    assert public_uri("postgresql://u:p@db/x") == "postgresql://db/x"


def test_a_very_short_password_does_not_garble_the_message() -> None:
    uri = "mysql+pymysql://u:p@db/x"

    missing = map_error(Exception("No module named 'pymysql'"), uri)
    shown = map_error(Exception("denied for u:p, password p"), uri)

    assert missing.what == "MLflow needs the Python module 'pymysql' for mysql+pymysql://db/x"
    assert missing.hint == "pip install pymysql"
    assert shown.what == "MLflow at mysql+pymysql://db/x: denied for ***, password ***"


def test_a_long_message_is_one_line() -> None:
    refused = map_error(ForeignError("a\nb " * 500), "http://m")

    assert "\n" not in refused.what
    assert len(refused.what) < 300
