"""Bearer tokens: compared in constant time, never logged."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from edgeseld.cloud.refusals import Refusal
from edgeseld.core.errors import ConfigError

VARIABLE = "EDGESELD_TOKENS"
SHORTEST = 16


class Tokens:
    """Hashes of the tokens that open the server; without any, it is open to all."""

    def __init__(self, tokens: list[str]) -> None:
        """ConfigError for a token that could be guessed."""
        for number, token in enumerate(tokens, 1):
            if len(token) < SHORTEST:
                raise ConfigError(f"a token has at least {SHORTEST} characters, number {number} has {len(token)}")
        self._hashes = [_sha256(token) for token in tokens]

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def check(self, headers: Mapping[str, str]) -> None:
        """Refusal 401 unless the header Authorization holds one of the tokens.

        Every token is compared, by its hash, in constant time: how long it takes tells nothing.
        """
        if not self._hashes:
            return
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = _sha256(token.strip())
        matches = [hmac.compare_digest(given, known) for known in self._hashes]
        if scheme.lower() != "bearer" or not any(matches):
            raise Refusal(401, "this server needs a token: send the header 'Authorization: Bearer TOKEN' with yours")


def read_tokens(path: Path | None) -> Tokens:
    """One token per line of a file, and those of EDGESELD_TOKENS, separated by commas."""
    text = os.environ.get(VARIABLE, "").replace(",", "\n")
    if path is not None:
        text += "\n" + path.read_text()
    return Tokens([line.strip() for line in text.splitlines() if line.strip()])


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
