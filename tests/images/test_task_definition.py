"""The task for ECS Fargate, checked against AWS's model, Fargate's rules and our settings."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from cruddur.process.server import GRACE_SECONDS
from cruddur.settings import Settings, declared_variables

AWS = Path(__file__).parents[2] / "aws"
SINKS_SECONDS = 5
"""Seconds that a shutdown may take after its requests have ended (docs/operations.md)."""

# Fargate's table: CPU units → the memory that may go with them, in MiB.
MEMORY = {
    256: {512, 1024, 2048},
    512: {*range(1024, 4097, 1024)},
    1024: {*range(2048, 8193, 1024)},
    2048: {*range(4096, 16385, 1024)},
    4096: {*range(8192, 30721, 1024)},
}
CREDENTIAL = re.compile(r"_KEY$|TOKEN|PASSWORD|SECRET|^CONNECTION_URL$|^SMTP_URL$")


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((AWS / name).read_text("utf-8"))
    return document


TASK = read("task-definition.json")
CONTAINERS: dict[str, dict[str, Any]] = {one["name"]: one for one in TASK["containerDefinitions"]}
SERVICE = CONTAINERS["cruddur"]
ENVIRONMENT = {one["name"]: one["value"] for one in SERVICE["environment"]}
SECRETS = {one["name"]: one["valueFrom"] for one in SERVICE["secrets"]}
each_container = pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)


def errors(operation: str, parameters: dict[str, Any]) -> str:
    """Return the errors of an operation's input according to AWS's model of ECS."""
    model = botocore.session.Session().get_service_model("ecs").operation_model(operation)
    known = set(model.input_shape.members)
    report = ParamValidator().validate(parameters, model.input_shape)
    return "\n".join([report.generate_report(), *sorted(set(parameters) - known)]).strip()


def test_register_task_definition_accepts_it() -> None:
    assert not errors("RegisterTaskDefinition", TASK)


def test_run_task_accepts_the_migration_which_is_a_command_of_the_service() -> None:
    overrides = read("migrate.json")
    assert not errors("RunTask", {"taskDefinition": TASK["family"], "overrides": overrides})
    [override] = overrides["containerOverrides"]
    assert override == {"name": SERVICE["name"], "command": ["migrate"]}


def test_fargate_can_run_it() -> None:
    assert TASK["requiresCompatibilities"] == ["FARGATE"]
    assert TASK["networkMode"] == "awsvpc"
    cpu, memory = int(TASK["cpu"]), int(TASK["memory"])
    assert memory in MEMORY[cpu]
    assert sum(one.get("cpu", 0) for one in CONTAINERS.values()) <= cpu
    assert sum(one.get("memoryReservation", 0) for one in CONTAINERS.values()) < memory
    assert {"executionRoleArn", "taskRoleArn", "runtimePlatform"} <= set(TASK)


@each_container
def test_fargate_can_run_each_container(container: dict[str, Any]) -> None:
    for port in container["portMappings"]:
        assert port.get("hostPort", port["containerPort"]) == port["containerPort"]
    # Fargate: no privileges, no devices, no shared memory, and at most two minutes to stop.
    assert not {"privileged", "links", "hostname", "extraHosts"} & set(container)
    assert set(container["linuxParameters"]) <= {"capabilities", "initProcessEnabled"}
    assert container["stopTimeout"] <= 120
    logs = container["logConfiguration"]
    assert logs["logDriver"] == "awslogs"
    needed = {"awslogs-group", "awslogs-region", "awslogs-stream-prefix"}
    assert needed <= set(logs["options"])
    check = container["healthCheck"]
    assert 5 <= check["interval"] <= 300
    assert 2 <= check["timeout"] < check["interval"]
    assert 1 <= check["retries"] <= 10


@each_container
def test_the_dependencies_of_a_container_can_be_met(container: dict[str, Any]) -> None:
    for wait in container.get("dependsOn", []):
        other = CONTAINERS[wait["containerName"]]
        assert not other.get("dependsOn"), "two containers depend on each other"
        # A container that may fail must not prevent the start of the service.
        assert other["essential"] or wait["condition"] == "START"


def test_the_service_is_confined_and_the_sidecar_is_not_essential() -> None:
    assert [name for name, one in CONTAINERS.items() if one["essential"]] == ["cruddur"]
    assert SERVICE["user"].split(":")[0] == "10001"
    for container in CONTAINERS.values():
        assert container["readonlyRootFilesystem"] is True
        assert container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}


def test_the_stop_timeout_is_long_enough_for_the_service() -> None:
    assert SERVICE["stopTimeout"] > GRACE_SECONDS + SINKS_SECONDS
    # The daemon must run until the service has sent its last data.
    assert CONTAINERS["xray"]["stopTimeout"] >= SERVICE["stopTimeout"]


def test_each_variable_is_one_of_the_settings_and_no_secret_is_in_clear() -> None:
    known = declared_variables().keys()
    assert {*ENVIRONMENT, *SECRETS} <= known
    assert not ENVIRONMENT.keys() & SECRETS.keys()
    assert not [name for name in ENVIRONMENT if CREDENTIAL.search(name)]
    assert {"CONNECTION_URL", "CRUDDUR_SIGNING_KEY"} <= SECRETS.keys()
    for container in CONTAINERS.values():
        for secret in container.get("secrets", []):
            assert re.match(r"arn:aws:(secretsmanager|ssm):", secret["valueFrom"])


def test_the_settings_are_accepted_and_reach_the_ports_that_are_mapped() -> None:
    settings = Settings.from_env({**ENVIRONMENT, "CONNECTION_URL": "postgresql://database/cruddur"})
    [port] = SERVICE["portMappings"]
    assert settings.binds == (f"0.0.0.0:{port['containerPort']}",)
    assert settings.environment == "production"
    assert settings.trusted_hops == 1
    [daemon] = CONTAINERS["xray"]["portMappings"]
    assert daemon["protocol"] == "udp"
    assert settings.xray_daemon_address == f"127.0.0.1:{daemon['containerPort']}"


def test_the_execution_role_may_read_each_secret_and_write_each_log() -> None:
    allowed = {}
    for statement in read("execution-role-policy.json")["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            allowed[action] = statement["Resource"].replace("*", ".*")
    for arn in SECRETS.values():
        assert re.fullmatch(allowed["ssm:GetParameters"], arn)
    for container in CONTAINERS.values():
        group = container["logConfiguration"]["options"]["awslogs-group"]
        assert f":log-group:{group}:" in allowed["logs:PutLogEvents"]
