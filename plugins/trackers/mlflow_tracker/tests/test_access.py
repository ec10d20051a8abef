"""Logins and certificates: they reach the server, and no secret ever reaches a message."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import TaskResult, TrackerError
from llmeval_core.testing import run_info
from plugins.trackers.mlflow_tracker.tests.fault_actions import (
    HTTP_200_HTML,
    HTTP_401,
    HTTP_403_HOST,
    HTTP_500,
    PASS,
    RESET,
    always,
)
from plugins.trackers.mlflow_tracker.tests.fault_proxy import FaultProxy

ResultFactory = Callable[..., TaskResult]
TrackerFactory = Callable[..., Awaitable[Any]]

TOKEN = "tok-3n-s3cret"
PASSWORD = "p4ss w/ s3cret"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("environment", "header"),
    [
        ({"MLFLOW_TRACKING_TOKEN": TOKEN}, f"Bearer {TOKEN}"),
        (
            {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": PASSWORD},
            basic("me", PASSWORD),
        ),
    ],
    ids=["token", "password"],
)
async def test_a_login_goes_with_every_request_and_into_no_message(
    *,
    environment: dict[str, str],
    header: str,
    proxy: FaultProxy,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    tracker = await open_tracker(tracking_uri=proxy.url, experiment="login", timeout_s=3)
    result = make_result(model=f"openai/{len(header)}")

    told = []
    for action in (HTTP_401, HTTP_403_HOST, HTTP_500, HTTP_200_HTML, RESET):
        proxy.program = always(action)
        with pytest.raises(TrackerError) as caught:
            await tracker.deliver(result)
        told.append(f"{caught.value}{caught.value.hint}{caught.value.where}{caught.value!r}")
    proxy.program = always(PASS)
    receipt = await tracker.deliver(result)
    told.append(str(receipt))

    assert {request.headers.get("authorization") for request in proxy.seen} == {header}
    for secret in (TOKEN, PASSWORD, "s3cret", header.partition(" ")[2]):
        assert secret not in "".join(told)


async def test_a_login_in_the_address_is_used_and_never_shown(
    proxy: FaultProxy, open_tracker: TrackerFactory, make_result: ResultFactory
) -> None:
    uri = proxy.url.replace("http://", "http://me:s3cret@")
    tracker = await open_tracker(tracking_uri=uri, experiment="login in the address")
    proxy.program = always(HTTP_401)

    with pytest.raises(TrackerError) as caught:
        await tracker.deliver(make_result())
    proxy.program = always(PASS)
    receipt = await tracker.deliver(make_result())

    assert {request.headers["authorization"] for request in proxy.seen} == {basic("me", "s3cret")}
    assert "s3cret" not in f"{caught.value!r} {caught.value} {receipt}"
    assert str(receipt.location).startswith(f"{proxy.url}/#/experiments/")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sign a certificate for 127.0.0.1 with its own key; the file has both."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "llmeval test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def tls_proxy(server: Any, certificate: Path) -> Iterator[FaultProxy]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    proxy = FaultProxy(server.url, certificate=context)
    yield proxy
    proxy.close()


async def test_a_certificate_that_nobody_vouches_for_is_told_with_the_cure(
    tls_proxy: FaultProxy, tmp_path: Path
) -> None:
    tracker = MlflowTracker(MlflowSettings(tracking_uri=tls_proxy.url))

    with pytest.raises(TrackerError) as caught:
        await tracker.open(run_info(tmp_path))
    await tracker.close()

    assert str(caught.value) == (
        f"MLflow at {tls_proxy.url} has a certificate that is not trusted: "
        "self-signed certificate\n"
        "  try:   set MLFLOW_TRACKING_SERVER_CERT_PATH to the file with the certificate of who "
        "signed it"
    )


async def test_a_certificate_file_makes_a_private_authority_trusted(
    *,
    server: Any,
    tls_proxy: FaultProxy,
    certificate: Path,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))

    tracker = await open_tracker(tracking_uri=tls_proxy.url, experiment="tls")
    receipt = await tracker.deliver(make_result())

    run = MlflowClient(server.url).get_run(str(receipt.location).rpartition("/")[2])
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5}


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
async def test_certificates_need_not_be_checked_if_the_user_says_so(
    *,
    server: Any,
    tls_proxy: FaultProxy,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")

    tracker = await open_tracker(tracking_uri=tls_proxy.url, experiment="insecure")
    receipt = await tracker.deliver(make_result())

    run = MlflowClient(server.url).get_run(str(receipt.location).rpartition("/")[2])
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5}


async def test_plain_http_spoken_to_https_is_told(tls_proxy: FaultProxy, tmp_path: Path) -> None:
    url = tls_proxy.url.replace("https://", "http://")
    tracker = MlflowTracker(MlflowSettings(tracking_uri=url, timeout_s=3))

    with pytest.raises(TrackerError) as caught:
        await tracker.open(run_info(tmp_path))
    await tracker.close()

    assert caught.value.what == f"MLflow at {url} cannot be reached: no connection"


async def test_https_spoken_to_plain_http_is_told(proxy: FaultProxy, tmp_path: Path) -> None:
    url = proxy.url.replace("http://", "https://")
    tracker = MlflowTracker(MlflowSettings(tracking_uri=url, timeout_s=3))

    with pytest.raises(TrackerError) as caught:
        await tracker.open(run_info(tmp_path))
    await tracker.close()

    assert str(caught.value) == (
        f"MLflow at {url} does not speak https\n"
        "  try:   check tracking_uri: perhaps it begins with http://"
    )


@pytest.mark.parametrize(
    "variable", ["MLFLOW_TRACKING_SERVER_CERT_PATH", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]
)
async def test_what_other_clients_trust_is_trusted_also_in_ones_home(
    variable: str, tls_proxy: FaultProxy, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for known in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(known, raising=False)
    monkeypatch.setenv("HOME", str(certificate.parent))
    monkeypatch.setenv(variable, f"~/{certificate.name}")
    tracker = MlflowTracker(MlflowSettings(tracking_uri=tls_proxy.url, experiment="authorities"))

    tracker.check(certificate.parent)
    await tracker.open(run_info(certificate.parent))
    await tracker.close()

    assert tls_proxy.counts().total() > 0
