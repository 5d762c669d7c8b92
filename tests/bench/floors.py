"""What physics asks: a signature, a password check, an empty request; measured in the same run as the flows."""

import time
from collections.abc import Callable

from argon2 import PasswordHasher
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.bench.http import Browser
from tests.bench.measure import Pass, Workload, run_pass
from tests.bench.server import DEFAULTS, Server

RSA_2048, RSA_3072, ARGON2, FLASK = (
    "RSA-2048 signature",
    "RSA-3072 signature",
    "Argon2 verification",
    "Empty Flask request",
)


def floors(empty: Server, scale: float) -> dict[str, Callable[[], Pass]]:
    """One job per floor."""
    argon2 = DEFAULTS["argon2"]
    hasher = PasswordHasher(argon2["time"], argon2["memory_kib"], argon2["lanes"])
    stored = hasher.hash("bench")
    browsers = [Browser(empty.base_url), Browser(empty.base_url)]
    nothing = Workload(FLASK, lambda: None, lambda browser, _: browser.get("/").expect(200).body, lambda _a, _b: None)
    run_pass(empty, nothing, browsers, 100)
    return {
        RSA_2048: _repeated(_signing(2048), int(1000 * scale)),
        RSA_3072: _repeated(_signing(3072), int(500 * scale)),
        ARGON2: _repeated(lambda: hasher.verify(stored, "bench"), int(40 * scale)),
        FLASK: lambda: run_pass(empty, nothing, browsers, int(3000 * scale)),
    }


def _signing(bits: int) -> Callable[[], object]:
    key, data = rsa.generate_private_key(65537, bits), b"x" * 700
    return lambda: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def _repeated(act: Callable[[], object], times: int) -> Callable[[], Pass]:
    def job() -> Pass:
        begin = time.process_time()
        for _ in range(times):
            act()
        spent = time.process_time() - begin
        return Pass(spent * 1000 / times, times / spent)

    return job
