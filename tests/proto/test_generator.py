"""What is checked in is what the compiler makes of ``protos``, and costs no more to import than it must."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_generated_code_is_what_the_compiler_makes_of_the_protos() -> None:
    pytest.importorskip("betterproto2_compiler", reason="the compiler is in the protos dependency group")
    pytest.importorskip("grpc_tools", reason="protoc is in the protos dependency group")
    run = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "protos.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("module", "needed"),
    [
        ("threads.pb", set()),
        ("threads.net.pb", set()),
        ("api.bucketsd.pb", set()),
        ("api.billingd.pb", set()),
        ("api.usersd.pb", {"api.billingd.pb"}),
        ("api.hubd.pb", {"api.billingd.pb"}),
        ("powergate.user.v1", {"google.protobuf"}),
        ("grpc.health.v1", set()),
    ],
)
def test_a_module_imports_no_other_service_than_those_it_embeds(module: str, needed: set[str]) -> None:
    script = (
        f"import sys, textile_aio._proto.{module}\n"
        "loaded = {name for name, module in sys.modules.items() if hasattr(module, '__all__')}\n"
        "print(*(name for name in loaded if name.startswith('textile_aio._proto.')))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.removeprefix("textile_aio._proto.") for name in run.stdout.split()}
    assert loaded == needed | {module}
