"""deploy/: the image's recipe, the compose files, the chart and the systemd unit say what the program does. No container is started."""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm"
COMPOSE = ["docker-compose.yml", "docker-compose.mysql.yml", "docker-compose.workers.yml", "docker-compose.grafana.yml"]
BASE_PACKAGES = {"libc6", "libgcc-s1", "libstdc++6"}  # every Debian image has them
HELM = shutil.which("helm", path=os.pathsep.join([str(ROOT / ".deps" / "bin"), os.environ.get("PATH", "")]))  # `scripts/setup helm` puts it there
VERSION = re.search(r"project\(tarn VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **options)


@pytest.fixture(scope="module")
def program():
    path = Path(os.environ.get("TARN_BIN", ROOT / "build" / "tarn"))
    assert path.exists(), f"{path} is not built: run make build"
    return path


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TARN_SHARE") if name in os.environ}
    return kept | {"TARN_HOME": str(tmp_path_factory.mktemp("deploy") / "home")}


@pytest.fixture(scope="module")
def settings(program, environment):
    """The names of all settings."""
    done = run(program, "settings", env=environment)
    assert done.returncode == 0, done.stderr
    names = set(re.findall(r"^([A-Z][A-Z0-9_]+)\b", done.stdout, re.MULTILINE))
    assert {"PORT", "ENCRYPTION_SECRET", "TARN_HOME"} <= names
    return names


# ---- the image

DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", "")
BUILD_STAGE, IMAGE = re.split(r"^(?=FROM )", DOCKERFILE, flags=re.MULTILINE)[1:]
HEALTH_CHECK = json.loads(re.search(r"^HEALTHCHECK .*? CMD (\[.*\])$", IMAGE, re.MULTILINE)[1])


def instructions(stage, name):
    return re.findall(rf"^{name} +(.*)$", stage, re.MULTILINE)


def test_the_image_is_pinned_and_does_not_run_as_root():
    for stage in (BUILD_STAGE, IMAGE):
        assert re.match(r"FROM debian:12\.\d+-slim\b", stage)
    user = instructions(IMAGE, "USER")[-1]
    assert re.fullmatch(r"[1-9]\d*:\d+", user)  # as a number: clusters cannot tell from a name that it is not root's
    assert f"--uid {user.split(':')[0]} " in IMAGE
    assert not re.search(r"SECRET|PASSWORD|TOKEN", DOCKERFILE)


def test_all_that_is_copied_is_there_and_reaches_the_build():
    let_in = [line[1:].rstrip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for arguments in instructions(BUILD_STAGE, "COPY"):
        for source in arguments.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source in let_in, source
    assert not [name for name in let_in if not (ROOT / name).exists()]


def test_the_image_has_the_libraries_that_the_program_links_to(program):
    if not shutil.which("dpkg-query") or not shutil.which("objdump"):
        pytest.skip("no dpkg-query or objdump here")
    needed = re.findall(r"NEEDED +(\S+)", run("objdump", "-p", program).stdout)
    paths = dict(re.findall(r"(\S+) => (\S+)", run("ldd", program).stdout))
    installed = re.search(r"apt-get install (.*?) &&", IMAGE)[1].split()
    for library in needed:
        if library == "libduckdb.so" or library.startswith("ld-linux"):
            continue  # copied from the build; of libc6
        owner = next((found.stdout.split(":")[0] for path in (paths[library], "/usr" + paths[library])
                      if (found := run("dpkg-query", "-S", path)).returncode == 0), None)
        assert owner in installed or owner in BASE_PACKAGES, f"{library} is in {owner}, which deploy/Dockerfile does not install"
    assert {"git", "openssh-client", "netcat-openbsd", "ca-certificates", "tini"} <= set(installed)


def test_the_program_finds_its_files_where_the_image_has_them(program, environment, tmp_path):
    library = ROOT / ".deps" / "duckdb" / "lib" / "libduckdb.so"
    if not library.exists():
        pytest.skip("DuckDB is the system's own here")
    for folder in ("bin", "lib"):
        (tmp_path / folder).mkdir()
    shutil.copy(program, tmp_path / "bin")
    (tmp_path / "lib" / library.name).symlink_to(library.resolve())
    for arguments in instructions(BUILD_STAGE, "COPY"):
        *sources, target = arguments.split()
        if target.startswith("/opt/tarn/") and target != "/opt/tarn/":
            (tmp_path / target.removeprefix("/opt/tarn/")).symlink_to(ROOT / sources[0])
    bare = {name: value for name, value in environment.items() if name != "TARN_SHARE"}
    done = run(tmp_path / "bin" / "tarn", "connector", "list", env=bare, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "github" in done.stdout
    assert run(tmp_path / "bin" / "tarn", "metrics", env=bare, cwd=tmp_path).returncode == 0


def test_the_health_check_tells_a_server_from_none(program, environment, tmp_path):
    command = json.loads(instructions(IMAGE, "CMD")[-1])
    assert command[0] == "serve"
    local = ["127.0.0.1" if word == "0.0.0.0" else word for word in command]
    server = subprocess.Popen([program, *local, "--port", "0"], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip().rsplit(":", 1)[1]
        assert run(*HEALTH_CHECK, env=environment | {"PORT": port}).returncode == 0
        assert run(*HEALTH_CHECK, env=environment | {"PORT": ":" + port}).returncode == 0
    finally:
        server.terminate()
        server.communicate(timeout=30)
    assert run(*HEALTH_CHECK, env=environment | {"PORT": port}).returncode != 0


def test_the_health_check_wants_a_good_answer(environment):
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:  # answers 501
        threading.Thread(target=server.handle_request).start()
        assert run(*HEALTH_CHECK, env=environment | {"PORT": str(server.server_port)}).returncode != 0


# ---- compose

def compose(name):
    return yaml.safe_load((DEPLOY / name).read_text())


def test_compose_has_the_names_and_ports_of_devlake():
    services = {name: service for file in COMPOSE for name, service in compose(file)["services"].items()}
    assert set(services) == {"devlake", "worker", "mysql", "grafana"}
    volumes = {name for file in COMPOSE for name in compose(file).get("volumes", {})}
    assert {"mysql-storage", "grafana-storage"} <= volumes
    ports = {port for file in COMPOSE for service in compose(file)["services"].values() for port in service.get("ports", [])}
    assert ports == {"127.0.0.1:8080:8080", "127.0.0.1:3002:3000"}


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_sets_what_the_program_knows_and_holds_no_password(name, settings):
    file = compose(name)
    for service in file["services"].values():
        for key, value in service.get("environment", {}).items():
            assert "PASSWORD" not in key or re.fullmatch(r"\$\{\w+:\?[^}]*\}", value), f"{key} is not left to .env"
    for name in ("devlake", "worker"):
        assert set(file["services"].get(name, {}).get("environment", {})) <= settings


def test_compose_pins_images():
    images = [service["image"] for file in COMPOSE for service in compose(file)["services"].values() if "image" in service]
    assert f"tarn:{VERSION}" in images
    for image in images:
        assert re.search(r":v?\d+\.\d+\.\d+\}?$", image), image


@pytest.mark.parametrize("names", [COMPOSE[:1], COMPOSE[:2], COMPOSE[:3], COMPOSE])
def test_compose_itself_accepts_the_files(names, tmp_path):
    if not shutil.which("docker") or run("docker", "compose", "version").returncode != 0:
        pytest.skip("no docker compose here")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MYSQL_PASSWORD": "p", "MYSQL_ROOT_PASSWORD": "r", "GRAFANA_PASSWORD": "g",
           "ENCRYPTION_SECRET": "k"}
    done = run("docker", "compose", *[word for name in names for word in ("-f", DEPLOY / name)], "config", env=env)
    assert done.returncode == 0, done.stderr


# ---- the chart

needs_helm = pytest.mark.skipif(HELM is None, reason="no helm in .deps/bin or PATH: the chart is not tried")
MYSQL = {"option.database": "mysql", "mysql.password": "pass", "mysql.rootPassword": "root", "lake.encryptionSecret.secret": "KEY"}
OUTSIDE = {"option.database": "mysql", "mysql.useExternal": "true", "mysql.externalServer": "db.example", "mysql.externalPort": "3307",
           "mysql.password": "pass", "lake.encryptionSecret.secret": "KEY"}
POSTGRES = {"option.database": "postgresql", "lake.extraEnvsFromSecret": "my-store", "lake.encryptionSecret.secretName": "my-key"}


def helm(*arguments, values=None):
    sets = [word for name, value in (values or {}).items() for word in ("--set", f"{name}={value}")]
    return run(HELM, *arguments, *sets)


def rendered(values=None):
    """(kind, name) -> document."""
    done = helm("template", "dev", CHART, values=values)
    assert done.returncode == 0, done.stderr
    documents = [document for document in yaml.safe_load_all(done.stdout) if document]
    named = {(document["kind"], document["metadata"]["name"]): document for document in documents}
    assert len(named) == len(documents)
    return named


def lake_of(documents):
    return documents["Deployment", "dev-tarn-lake"]["spec"]["template"]["spec"]


def environment_of(documents):
    container = lake_of(documents)["containers"][0]
    assert len({entry["name"] for entry in container["env"]}) == len(container["env"])
    return {entry["name"]: entry.get("value") for entry in container["env"]}


def secrets_of(documents):
    return [entry["secretRef"]["name"] for entry in lake_of(documents)["containers"][0].get("envFrom") or []]


@needs_helm
@pytest.mark.parametrize("values", [{}, MYSQL, OUTSIDE, POSTGRES])
def test_the_chart_passes_helms_own_check(values):
    done = helm("lint", "--strict", CHART, values=values)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_helm
def test_without_values_it_is_one_process_and_one_volume():
    documents = rendered()
    assert set(documents) == {("Deployment", "dev-tarn-lake"), ("Service", "dev-tarn-lake"), ("PersistentVolumeClaim", "dev-tarn-lake-data")}
    deployment = documents["Deployment", "dev-tarn-lake"]["spec"]
    assert deployment["replicas"] == 1 and deployment["strategy"] == {"type": "Recreate"}
    assert lake_of(documents)["volumes"][0]["persistentVolumeClaim"] == {"claimName": "dev-tarn-lake-data"}
    assert lake_of(documents)["containers"][0]["image"] == f"tarn:{VERSION}"
    assert environment_of(documents) == {"PORT": "8080"}
    assert secrets_of(documents) == []
    assert documents["Service", "dev-tarn-lake"]["spec"]["type"] == "ClusterIP"


@needs_helm
@pytest.mark.parametrize("values", [{}, MYSQL])
def test_pods_run_as_the_images_users_and_have_no_rights(values):
    for (kind, _), document in rendered(values).items():
        if kind not in ("Deployment", "StatefulSet"):
            continue
        pod = document["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] > 0
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        labels = document["spec"]["template"]["metadata"]["labels"]
        assert document["spec"]["selector"]["matchLabels"].items() <= labels.items()
    lake = lake_of(rendered(values))
    assert f"{lake['securityContext']['runAsUser']}:{lake['securityContext']['runAsGroup']}" == instructions(IMAGE, "USER")[-1]


@needs_helm
def test_probes_ask_routes_that_are_there(program, environment):
    done = run(program, "api", env=environment)
    assert done.returncode == 0, done.stderr
    routes = json.loads(done.stdout)["paths"]
    container = lake_of(rendered())["containers"][0]
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    asked = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {name: probe["path"] for name, probe in asked.items()} == {
        "startupProbe": "/ping", "livenessProbe": "/ping", "readinessProbe": "/ready"}
    for probe in asked.values():
        assert probe["port"] == "http" and "get" in routes[probe["path"]]


@needs_helm
def test_the_charts_own_mysql():
    documents = rendered(MYSQL)
    secret = documents["Secret", "dev-tarn-db-connection"]["stringData"]
    assert secret == {"MYSQL_PASSWORD": "pass", "MYSQL_ROOT_PASSWORD": "root"}
    assert environment_of(documents)["DB_URL"] == (
        "mysql://merico:$(MYSQL_PASSWORD)@dev-tarn-mysql:3306/lake?charset=utf8mb4&parseTime=True&loc=UTC")
    names = [entry["name"] for entry in lake_of(documents)["containers"][0]["env"]]
    assert names.index("MYSQL_PASSWORD") < names.index("DB_URL")  # or it would not be put in
    assert documents["Secret", "dev-tarn-encryption-secret"]["stringData"] == {"ENCRYPTION_SECRET": "KEY"}
    assert secrets_of(documents) == ["dev-tarn-encryption-secret"]
    assert ("PersistentVolumeClaim", "dev-tarn-lake-data") not in documents
    assert lake_of(documents)["volumes"][0] == {"name": "data", "emptyDir": {}}
    mysql = documents["StatefulSet", "dev-tarn-mysql"]["spec"]["template"]["spec"]["containers"][0]
    assert mysql["envFrom"] == [{"secretRef": {"name": "dev-tarn-db-connection"}}]
    in_compose = compose("docker-compose.mysql.yml")["services"]["mysql"]
    assert mysql["args"] == in_compose["command"].split() and mysql["image"] == in_compose["image"]
    assert ("Service", "dev-tarn-mysql") in documents


@needs_helm
def test_a_mysql_outside():
    documents = rendered(OUTSIDE | {"mysql.extraParams": "&tls=skip-verify", "option.connectionSecretName": "mine", "option.autoCreateSecret": "false"})
    assert environment_of(documents)["DB_URL"] == (
        "mysql://merico:$(MYSQL_PASSWORD)@db.example:3307/lake?charset=utf8mb4&parseTime=True&loc=UTC&tls=skip-verify")
    password = next(entry for entry in lake_of(documents)["containers"][0]["env"] if entry["name"] == "MYSQL_PASSWORD")
    assert password["valueFrom"]["secretKeyRef"] == {"name": "mine", "key": "MYSQL_PASSWORD"}
    assert {kind for kind, _ in documents} == {"Deployment", "Service", "Secret"}
    assert ("Secret", "mine") not in documents


@needs_helm
def test_a_postgresql_outside_and_secrets_that_are_there_already():
    documents = rendered(POSTGRES)
    assert secrets_of(documents) == ["my-key", "my-store"]
    assert "DB_URL" not in environment_of(documents)
    assert {kind for kind, _ in documents} == {"Deployment", "Service"}


@needs_helm
def test_values_end_where_they_belong(settings):
    documents = rendered(MYSQL | {
        "lake.replicaCount": "0", "lake.port": "9090", "lake.image.repository": "example/tarn", "imageTag": "9.9.9", "service.type": "NodePort",
        "lake.envs.API_RETRY": "5", "commonEnvs.IN_SECURE_SKIP_VERIFY": "true", "lake.resources.limits.memory": "2Gi",
        "lake.serviceAccount.name": "lake", "imagePullSecrets[0].name": "pull", "mysql.storage.class": "fast", "mysql.storage.size": "9Gi"})
    assert documents["Deployment", "dev-tarn-lake"]["spec"]["replicas"] == 0
    pod = lake_of(documents)
    container = pod["containers"][0]
    assert container["image"] == "example/tarn:9.9.9"
    assert container["resources"] == {"limits": {"memory": "2Gi"}}
    assert pod["serviceAccountName"] == "lake" and pod["imagePullSecrets"] == [{"name": "pull"}]
    variables = environment_of(documents)
    assert variables["PORT"] == "9090" and variables["API_RETRY"] == "5" and variables["IN_SECURE_SKIP_VERIFY"] == "true"
    assert set(variables) - {"MYSQL_PASSWORD"} <= settings
    service = documents["Service", "dev-tarn-lake"]["spec"]
    assert service["type"] == "NodePort"
    assert service["ports"] == [{"name": "http", "port": 9090, "targetPort": "http", "nodePort": 32001}]
    claim = documents["StatefulSet", "dev-tarn-mysql"]["spec"]["volumeClaimTemplates"][0]["spec"]
    assert claim["storageClassName"] == "fast" and claim["resources"] == {"requests": {"storage": "9Gi"}}


@needs_helm
def test_workers_are_pods_as_the_server_but_for_the_command(program, environment):
    documents = rendered(MYSQL | {"lake.workers.replicaCount": "3", "lake.port": "9090"})
    workers = documents["Deployment", "dev-tarn-lake-workers"]["spec"]
    assert workers["replicas"] == 3 and "strategy" not in workers
    pod = workers["template"]["spec"]
    worker, server = pod["containers"][0], lake_of(documents)["containers"][0]
    assert worker.pop("args") == ["worker", "--host", "0.0.0.0", "--port", "9090"]
    assert worker.pop("name") == "worker" and server.pop("name") == "lake"
    assert worker == server
    labels = workers["template"]["metadata"]["labels"]
    assert workers["selector"]["matchLabels"].items() <= labels.items()
    # Requests to the service must not reach them.
    assert not documents["Service", "dev-tarn-lake"]["spec"]["selector"].items() <= labels.items()
    told = run(program, "worker", "--help", env=environment).stdout
    assert "--host" in told and "--port" in told


@needs_helm
def test_ingress():
    values = {"ingress.enabled": "true", "ingress.hostname": "tarn.example", "ingress.className": "nginx"}
    ingress = rendered(values)["Ingress", "dev-tarn"]["spec"]
    assert ingress["ingressClassName"] == "nginx" and "tls" not in ingress
    assert ingress["rules"] == [{"host": "tarn.example", "http": {"paths": [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "dev-tarn-lake", "port": {"name": "http"}}}}]}}]
    secure = rendered(values | {"ingress.enableHttps": "true", "ingress.tlsSecretName": "cert"})["Ingress", "dev-tarn"]["spec"]
    assert secure["tls"] == [{"hosts": ["tarn.example"], "secretName": "cert"}]


@needs_helm
@pytest.mark.parametrize("values, message", [
    ({"lake.replicaCount": "2"}, "can be 0 or 1"),
    ({"lake.workers.replicaCount": "2"}, "need a database server"),
    ({"option.database": "oracle"}, "embedded, mysql or postgresql"),
    ({"mysql.useExternal": "true"}, "set option.database to mysql"),
    (MYSQL | {"lake.encryptionSecret.secret": ""}, "must outlive the pod"),
    (MYSQL | {"mysql.password": ""}, "set mysql.password"),
    (MYSQL | {"mysql.rootPassword": ""}, "set mysql.rootPassword"),
    (OUTSIDE | {"mysql.externalServer": ""}, "set mysql.externalServer"),
    (OUTSIDE | {"option.assembleDbUrl": "false"}, "DB_URL is not given"),
    (POSTGRES | {"lake.extraEnvsFromSecret": ""}, "DB_URL is not given"),
])
def test_values_that_cannot_work_are_refused(values, message):
    done = helm("template", "dev", CHART, values=values)
    assert done.returncode != 0
    assert message in done.stderr


def test_the_chart_has_the_programs_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == VERSION


# ---- systemd

@pytest.fixture
def unit(program, tmp_path):
    """The unit, with a program that is there."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    text = (DEPLOY / "tarn.service").read_text()
    assert "/opt/tarn/bin/tarn" in text
    (tmp_path / "tarn.service").write_text(text.replace("/opt/tarn/bin/tarn", str(program.resolve())))
    return tmp_path / "tarn.service"


def test_systemd_understands_the_unit(unit, settings):
    done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit)
    assert done.returncode == 0 and done.stdout + done.stderr == ""
    text = unit.read_text()
    assert set(re.findall(r"^Environment=(\w+)=", text, re.MULTILINE)) <= settings
    assert re.search(r"^User=tarn$", text, re.MULTILINE)


def test_the_unit_is_locked_down(unit):
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)  # tenths; 100 is the worst
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
