"""The manifests and scripts of the page on tf.data service have what their readers need."""

from __future__ import annotations

import ast
import subprocess
from typing import Any

import pytest

from tests.support.markdown import ROOT, blocks

PAGE = ROOT / "docs" / "service.md"


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml")
    (block,) = blocks(PAGE, "yaml")
    return [*yaml.safe_load_all(block.text)]


def named(manifests: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (manifest,) = (
        each for each in manifests if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )
    return manifest


def test_each_manifest_has_what_kubernetes_requires(manifests: list[dict[str, Any]]) -> None:
    assert len(manifests) == 4
    for manifest in manifests:
        assert manifest["apiVersion"] == ("v1" if manifest["kind"] == "Service" else "apps/v1")
        assert manifest["metadata"]["name"]
        spec = manifest["spec"]
        if manifest["kind"] == "Service":
            assert spec["selector"]
            assert all(isinstance(port["port"], int) for port in spec["ports"])
            continue
        template = spec["template"]
        assert spec["selector"]["matchLabels"] == template["metadata"]["labels"]
        volumes = {volume["name"] for volume in template["spec"]["volumes"]}
        for container in template["spec"]["containers"]:
            assert container["name"]
            assert container["image"].startswith("tensorflow/tensorflow:")
            assert all(isinstance(word, str) for word in container["command"])
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


@pytest.mark.parametrize("name", ["tfdata-dispatcher", "tfdata-worker"])
def test_each_service_leads_to_the_port_that_its_server_is_given(
    manifests: list[dict[str, Any]], name: str
) -> None:
    kind = "Deployment" if name == "tfdata-dispatcher" else "StatefulSet"
    service, servers = named(manifests, "Service", name), named(manifests, kind, name)
    (container,) = servers["spec"]["template"]["spec"]["containers"]
    (port,) = service["spec"]["ports"]
    assert service["spec"]["selector"] == servers["spec"]["selector"]["matchLabels"]
    assert container["command"][2] == str(port["port"])
    assert container["ports"] == [{"containerPort": port["port"]}]


def test_workers_are_given_the_dispatcher_and_a_name_that_resolves(
    manifests: list[dict[str, Any]],
) -> None:
    workers = named(manifests, "StatefulSet", "tfdata-worker")
    (container,) = workers["spec"]["template"]["spec"]["containers"]
    dispatcher = named(manifests, "Service", "tfdata-dispatcher")
    (port,) = dispatcher["spec"]["ports"]
    assert container["command"][3:] == [
        f"tfdata-dispatcher:{port['port']}",
        f"$(NAME).{workers['spec']['serviceName']}",
    ]
    assert [each["name"] for each in container["env"]] == ["NAME"]
    assert named(manifests, "Service", "tfdata-worker")["spec"]["clusterIP"] == "None"


def test_servers_need_nothing_of_feedbench() -> None:
    (program,) = blocks(PAGE, "python")
    imported = [
        alias.name
        for node in ast.walk(ast.parse(program.text))
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    assert imported == ["sys", "tensorflow"]


def test_the_script_for_slurm_is_one_that_bash_reads() -> None:
    (script,) = blocks(PAGE, "bash")
    subprocess.run(["bash", "-n"], input=script.text, text=True, check=True)
