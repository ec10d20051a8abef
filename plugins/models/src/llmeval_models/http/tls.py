"""Whom to trust behind https://, and who we are."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from llmeval_core.hooks import ConfigError
from llmeval_models.http.http_settings import HttpSettings

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name certificates to trust besides those of the system. SSL_CERT_FILE and
SSL_CERT_DIR, which stand for those of the system, are read by OpenSSL itself."""


def check_files(settings: HttpSettings) -> None:
    """See whether the files are there that TLS needs.

    Raises:
        ConfigError: one is not.
    """
    for name in ("ca_file", "client_cert", "client_key"):
        path: Path | None = getattr(settings, name)
        if path is not None and not path.is_file():
            raise ConfigError(f"{name}: there is no file '{path}'", hint="name a file that exists")
    if settings.ca_file is None and settings.verify and "https://" in settings.base_url:
        for variable in BUNDLES:
            if (text := os.environ.get(variable)) and not Path(text).expanduser().exists():
                raise ConfigError(
                    f"{variable} names '{text}', which does not exist",
                    hint="set it to a file of certificates, or unset it",
                )


def make_tls(settings: HttpSettings) -> ssl.SSLContext:
    """Make what TLS connections begin with.

    `ca_file` alone is trusted where it is set; else the system's certificates (or SSL_CERT_FILE),
    and those that `BUNDLES` name.

    Raises:
        ConfigError: a file cannot be used.
    """
    check_files(settings)
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if not settings.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif settings.ca_file is None:
            for bundle in filter(None, map(os.environ.get, BUNDLES)):
                path = Path(bundle).expanduser()
                if path.is_dir():
                    context.load_verify_locations(capath=path)
                else:
                    context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as err:
        name = settings.ca_file or ", ".join(filter(None, map(os.environ.get, BUNDLES)))
        raise ConfigError(
            f"'{name}' has no certificates: {_reason(err)}", hint="name a PEM file, as ca_file"
        ) from err
    if settings.client_cert is not None:
        try:
            context.load_cert_chain(settings.client_cert, settings.client_key, password="")
        except (OSError, ssl.SSLError) as err:
            raise ConfigError(
                f"client_cert cannot be used: {_reason(err)}",
                hint="PEM files; the key without a passphrase, in client_key or beside the "
                "certificate",
            ) from err
    return context


def _reason(err: OSError) -> str:
    return err.strerror or str(err) if not isinstance(err, ssl.SSLError) else str(err.reason or err)
