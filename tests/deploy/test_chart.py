"""The Helm chart renders manifests that are valid, confined, and agree with the service.

No test runs them in a cluster.
"""

import json
import re
import tomllib
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import yaml
from chart import CHART, ROOT, VARIANTS, Manifest, errors, find_helm, lint, render, template
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from cruddur.app import create_app
from cruddur.process.server import STOP_SECONDS
from cruddur.settings import Settings, declared_variables
from cruddur.telemetry.pipeline import Telemetry
from cruddur.telemetry.registry import METRICS
from support import Api

pytestmark = pytest.mark.skipif(find_helm() is None, reason="helm was not found")

DOCKERFILE = (ROOT / "Dockerfile.prod").read_text("utf-8")
REQUIRED, EVERYTHING = VARIANTS["required"], VARIANTS["everything"]
POD_NAMES = {"K8S_NAMESPACE_NAME", "K8S_POD_NAME"}
"""Variables that only the value of another variable refers to."""

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
    "projected", "secret",
}  # fmt: skip
"""The kinds of volumes that the Pod Security Standard "restricted" allows."""


@cache
def rendered(variant: str) -> tuple[Manifest, ...]:
    return tuple(render(VARIANTS[variant]))


def named(variant: str, kind: str, suffix: str = "") -> Manifest:
    [found] = [
        one
        for one in rendered(variant)
        if one["kind"] == kind and one["metadata"]["name"] == f"demo-cruddur{suffix}"
    ]
    return found


def pods(variant: str) -> list[Manifest]:
    return [
        one["spec"]["template"] for one in rendered(variant) if one["kind"] in {"Deployment", "Job"}
    ]


def service_container(variant: str) -> Manifest:
    [container] = named(variant, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(container)


def environment(container: Manifest) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


def collector_config() -> Manifest:
    data = named("everything", "ConfigMap", "-collector")["data"]["collector.yaml"]
    config: Manifest = yaml.safe_load(data)
    return config


each_variant = pytest.mark.parametrize("variant", VARIANTS)


@each_variant
def test_helm_finds_no_fault(variant: str) -> None:
    linted = lint(VARIANTS[variant])
    assert linted.returncode == 0, linted.stdout


@each_variant
def test_the_manifests_are_valid_in_each_supported_version_of_kubernetes(variant: str) -> None:
    assert [error for one in rendered(variant) for error in errors(one)] == []


def test_an_unknown_field_is_found() -> None:
    service = json.loads(json.dumps(named("required", "Service")))
    service["spec"]["selectors"] = {}
    assert any("selectors" in error for error in errors(service))


def test_the_chart_has_the_version_of_the_service() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {chart["version"], chart["appVersion"]} == {project["version"]}


def test_everything_is_rendered() -> None:
    kinds = {one["kind"] for one in rendered("everything")}
    assert kinds == {
        "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Ingress", "Job", "NetworkPolicy",
        "PodDisruptionBudget", "Service", "ServiceAccount", "ServiceMonitor",
    }  # fmt: skip
    assert "Secret" not in kinds


@each_variant
def test_pods_meet_the_pod_security_standard_restricted(variant: str) -> None:
    for pod in pods(variant):
        spec = pod["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert {kind for one in spec["volumes"] for kind in one if kind != "name"} <= VOLUMES
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"sysctls", "seLinuxOptions", "appArmorProfile"} & set(context)
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert not [port for port in container.get("ports", []) if "hostPort" in port]


@each_variant
def test_pods_have_no_token_of_the_cluster_and_bounded_memory(variant: str) -> None:
    accounts = [one for one in rendered(variant) if one["kind"] == "ServiceAccount"]
    assert accounts
    for one in [*accounts, *(pod["spec"] for pod in pods(variant))]:
        assert one["automountServiceAccountToken"] is False
    for pod in pods(variant):
        # Otherwise Kubernetes sets CRUDDUR_PORT and the like, as if they were settings.
        assert pod["spec"]["enableServiceLinks"] is False
        for container in pod["spec"]["containers"]:
            resources = container["resources"]
            assert {"cpu", "memory"} <= set(resources["requests"])
            assert "memory" in resources["limits"]


@each_variant
def test_the_user_and_the_port_are_those_of_the_image(variant: str) -> None:
    user = re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    port = re.search(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert user is not None
    assert port is not None
    spec = named(variant, "Deployment")["spec"]["template"]["spec"]
    context = spec["securityContext"]
    assert [context["runAsUser"], context["runAsGroup"]] == [int(one) for one in user.groups()]
    container = service_container(variant)
    assert container["ports"] == [{"name": "http", "containerPort": int(port[1])}]
    [exposed] = named(variant, "Service")["spec"]["ports"]
    assert exposed["targetPort"] == "http"
    [allowed] = named(variant, "NetworkPolicy")["spec"]["ingress"]
    assert allowed["ports"] == [{"port": int(port[1])}]
    assert not {"PORT", "CRUDDUR_BIND"} & set(environment(container))


@each_variant
def test_each_selector_selects_the_pods_of_one_component(variant: str) -> None:
    labels = [pod["metadata"]["labels"] for pod in pods(variant)]
    selectors = [
        spec["selector"].get("matchLabels", spec["selector"])
        for one in rendered(variant)
        if one["kind"] in {"Deployment", "PodDisruptionBudget", "Service", "ServiceMonitor"}
        and (spec := one["spec"])
    ]
    selectors += [
        one["spec"]["podSelector"]["matchLabels"]
        for one in rendered(variant)
        if one["kind"] == "NetworkPolicy"
    ]
    for selector in selectors:
        assert len([one for one in labels if selector.items() <= one.items()]) == 1, selector


async def test_probes_request_routes_that_the_service_has(api: Api) -> None:
    container = service_container("required")
    probes = {name: container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
    paths = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
    assert paths == {
        "startup": "/api/health-check",
        "liveness": "/api/health-check",
        "readiness": "/api/ready",
    }
    for path in set(paths.values()):
        assert (await api.request("GET", path)).status_code == 200
    assert {probe["httpGet"]["port"] for probe in probes.values()} == {"http"}
    # /api/ready responds within two seconds, also while the database does not.
    assert probes["readiness"]["timeoutSeconds"] > 2


@each_variant
def test_a_stopping_pod_has_time_for_the_drain_and_the_shutdown(variant: str) -> None:
    spec = named(variant, "Deployment")["spec"]
    pod = spec["template"]["spec"]
    drain = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > drain + STOP_SECONDS
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@each_variant
def test_each_variable_is_one_of_the_settings_and_no_secret_is_in_clear(variant: str) -> None:
    declared = declared_variables()
    passed_on = yaml.safe_load((ROOT / "deploy" / "settings.yaml").read_text("utf-8"))
    known = {*declared, *passed_on["services"]["settings"]["environment"], *POD_NAMES}
    own = {"HTTPS_PROXY"}  # of ci/everything.yaml, by extraEnv
    for container in (service_container(variant), *_migrations(variant)):
        names = {one["name"] for one in container["env"]} - own
        assert {name.removesuffix("_FILE") for name in names} <= known
        assert not [name for name in names if name in declared and declared[name].secret]
        assert "CONNECTION_URL_FILE" in names


@each_variant
def test_each_secret_is_a_file_where_its_variable_says(variant: str) -> None:
    with_secrets = [
        pod
        for pod in pods(variant)
        if pod["metadata"]["labels"]["app.kubernetes.io/component"] != "collector"
    ]
    assert len(with_secrets) == 2
    for pod in with_secrets:
        [container] = pod["spec"]["containers"]
        mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
        [volume] = [one["secret"] for one in pod["spec"]["volumes"] if one["name"] == "secrets"]
        paths = {f"{mounts['secrets']}/{item['path']}" for item in volume["items"]}
        files = {value for name, value in environment(container).items() if name.endswith("_FILE")}
        assert files == paths
        # A file of a Secret belongs to root and to the group of the pod.
        assert volume["defaultMode"] == 0o440
        assert pod["spec"]["securityContext"]["fsGroup"] == 10001


@each_variant
def test_the_service_accepts_the_settings(variant: str) -> None:
    values = {
        name: value
        for name, value in environment(service_container(variant)).items()
        if not name.endswith("_FILE")
    }
    image = dict(re.findall(r"^ {4}(CRUDDUR_BIND|PORT)=(\S+)", DOCKERFILE, re.MULTILINE))
    assert set(image) == {"CRUDDUR_BIND", "PORT"}
    settings = Settings.from_env({**image, **values, "CONNECTION_URL": "postgresql://db/cruddur"})
    assert settings.backend_url == "https://cruddur.example"
    assert settings.frontend_url == "https://cruddur.example"
    assert settings.trusted_hops == (1 if variant == "everything" else 0)
    assert settings.binds == ("0.0.0.0:4567",)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("env.CRUDDUR_STREAM=5", "CRUDDUR_STREAM"),
        ("env.PORT=80", "PORT"),
        ("env.SMTP_URL=smtp://mail", "SMTP_URL"),
        ("env.OTEL_EXPORTER_OTLP_HEADERS=x-key=1", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("secretKeys[0]=SMTP_UR", "secretKeys"),
        ("replica=3", "replica"),
        ("image.digest=latest", "image/digest"),
        ("image.repository=", "image.repository"),
        ("existingSecret=", "existingSecret"),
        ("env.BACKEND_URL=", "env.BACKEND_URL"),
    ],
)
def test_a_wrong_value_stops_the_installation_and_is_named(option: str, message: str) -> None:
    refused = template(REQUIRED, "--set-string", option)
    assert refused.returncode != 0
    assert message in refused.stderr


def test_a_service_monitor_without_a_collector_is_refused() -> None:
    refused = template(REQUIRED, "--set", "serviceMonitor.enabled=true")
    assert refused.returncode != 0
    assert "collector.enabled" in refused.stderr


def test_the_migration_runs_before_each_version_and_its_failure_stops_the_release() -> None:
    for variant in VARIANTS:
        job = named(variant, "Job", "-migration")
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        [container] = _migrations(variant)
        assert container["args"] == ["migrate"]
        assert container["image"] == service_container(variant)["image"]
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
        # What the chart installs does not exist before the first release.
        policy = named(variant, "NetworkPolicy", "-migration")
        assert policy["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert "serviceAccountName" not in job["spec"]["template"]["spec"]
    off = render(REQUIRED, "--set", "migration.enabled=false")
    assert "Job" not in {one["kind"] for one in off}


def test_the_image_is_named_by_its_digest_or_its_version() -> None:
    assert service_container("everything")["image"].partition("@")[2].startswith("sha256:")
    version = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))["appVersion"]
    assert service_container("required")["image"].endswith(f":{version}")


async def test_the_autoscaler_uses_a_metric_that_a_process_exports_from_its_start(
    worker_settings: Settings,
) -> None:
    metrics = named("everything", "HorizontalPodAutoscaler")["spec"]["metrics"]
    [name] = [one["pods"]["metric"]["name"] for one in metrics if one["type"] == "Pods"]
    [metric] = [one for one in METRICS.values() if one.name.replace(".", "_") == name]
    # Prometheus appends other units to the name, and `_total` to that of a counter.
    assert (metric.instrument, metric.unit[0]) == ("updowncounter", "{")
    reader = InMemoryMetricReader()
    telemetry = Telemetry(worker_settings, processors=[], readers=[reader], reporters=[])
    async with create_app(worker_settings, telemetry).test_app():
        data = reader.get_metrics_data()
    assert data is not None
    values = {
        one.name: [point.value for point in one.data.data_points]  # type: ignore[union-attr]  # no histogram
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for one in scope.metrics
        if one.name == metric.name
    }
    assert values == {metric.name: [0]}


def test_without_the_autoscaler_the_number_of_pods_is_fixed() -> None:
    assert named("required", "Deployment")["spec"]["replicas"] == 2
    assert "replicas" not in named("everything", "Deployment")["spec"]


def test_pods_reach_the_database_and_public_addresses_only() -> None:
    names, database, public = named("required", "NetworkPolicy")["spec"]["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    assert database == {"ports": [{"port": 5432}]}
    excluded = [ip_network(network) for one in public["to"] for network in one["ipBlock"]["except"]]
    for text in (
        "10.1.2.3", "172.20.0.1", "192.168.1.1", "169.254.169.254", "127.0.0.1", "100.64.0.1",
        "fd00::1", "fe80::1",
    ):  # fmt: skip
        assert any(ip_address(text) in network for network in excluded), text
    assert not any(ip_address("1.1.1.1") in network for network in excluded)


def test_the_collector_has_the_configuration_of_compose_and_a_page_for_prometheus() -> None:
    config = yaml.safe_load(
        named("everything", "ConfigMap", "-collector")["data"]["collector.yaml"]
    )
    shared = yaml.safe_load((CHART / "files" / "collector.yaml").read_text("utf-8"))
    mounted = (ROOT / "compose.yaml").read_text("utf-8")
    assert "./deploy/helm/cruddur/files/collector.yaml:/etc/collector.yaml:ro" in mounted
    for part in ("extensions", "processors", "receivers"):
        assert config[part] == shared[part]
    pipelines = config["service"]["pipelines"]
    assert pipelines["metrics"]["exporters"] == ["otlphttp/honeycomb-metrics", "prometheus"]
    assert pipelines["traces"]["exporters"] == ["otlphttp/honeycomb"], "ci/everything.yaml sets it"
    used = {name for one in pipelines.values() for name in one["exporters"]}
    assert used <= set(config["exporters"])
    [container] = named("everything", "Deployment", "-collector")["spec"]["template"]["spec"][
        "containers"
    ]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    listening = {
        "otlp": config["receivers"]["otlp"]["protocols"]["http"]["endpoint"],
        "metrics": config["exporters"]["prometheus"]["endpoint"],
        "health": config["extensions"]["health_check"]["endpoint"],
    }
    assert {name: f"0.0.0.0:{port}" for name, port in ports.items()} == listening
    endpoint = environment(service_container("everything"))["OTEL_EXPORTER_OTLP_ENDPOINT"]
    service = named("everything", "Service", "-collector")
    assert endpoint == f"http://{service['metadata']['name']}:{ports['otlp']}"
    variables = set(re.findall(r"\$\{env:(\w+)\}", json.dumps(config)))
    assert variables <= {one["name"] for one in container["env"]}


def test_the_service_monitor_scrapes_the_collector_and_names_the_pods() -> None:
    [endpoint] = named("everything", "ServiceMonitor")["spec"]["endpoints"]
    ports = named("everything", "Service", "-collector")["spec"]["ports"]
    assert endpoint["port"] in {one["name"] for one in ports}
    attributes = environment(service_container("everything"))["OTEL_RESOURCE_ATTRIBUTES"]
    sent = {one.partition("=")[0].replace(".", "_") for one in attributes.split(",")}
    read = {rule["sourceLabels"][0]: rule["targetLabel"] for rule in endpoint["metricRelabelings"]}
    assert read == {"k8s_pod_name": "pod", "k8s_namespace_name": "namespace"}
    assert set(read) <= sent
    config = yaml.safe_load(
        named("everything", "ConfigMap", "-collector")["data"]["collector.yaml"]
    )
    assert config["exporters"]["prometheus"]["resource_to_telemetry_conversion"]["enabled"]


def test_the_ingress_keeps_streams_open() -> None:
    ingress = named("everything", "Ingress")
    annotations = {
        name.partition("/")[2]: value for name, value in ingress["metadata"]["annotations"].items()
    }
    assert annotations == {
        "proxy-buffering": "off",
        "proxy-read-timeout": "60",
        "proxy-body-size": "9m",
    }
    assert ingress["spec"]["tls"] == [{"hosts": ["cruddur.example"], "secretName": "cruddur-tls"}]


def test_each_value_is_explained_and_checked() -> None:
    text = (CHART / "values.yaml").read_text("utf-8")
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    values = yaml.safe_load(text)
    assert set(values) | {"global"} == set(schema["properties"])
    lines = text.splitlines()
    for name in values:
        first = next(i for i, line in enumerate(lines) if line.startswith(f"{name}:"))
        around = lines[max(first - 3, 0) : first + 4]
        assert any(line.lstrip().startswith("# ") for line in around), name
        if schema["properties"][name].get("additionalProperties") is False:
            assert set(values[name]) <= set(schema["properties"][name]["properties"])


def _migrations(variant: str) -> list[dict[str, Any]]:
    spec = named(variant, "Job", "-migration")["spec"]["template"]["spec"]
    return list(spec["containers"])
