"""How records look in the API: each function gives the JSON of one schema of the provider's description."""

from console.sandbox.contracts import SERVER_VERSION, DatabaseInstance
from console.sandbox.render.seed import WorldSeed
from console.sandbox.render.state import Deploy, Event, Export, JsonObject, Postgres, Service, State
from console.sandbox.render.times import rfc3339


class Views:
    """Shows the workspace's records; `base_url` is the server's own address, without `/v1`."""

    def __init__(self, seed: WorldSeed, state: State, repository: str) -> None:
        self._seed = seed
        self._state = state
        self._repository = repository
        self.base_url = ""

    def owner(self) -> JsonObject:
        """Schema `owner`."""
        return {
            "id": self._seed.owner_id,
            "name": self._seed.owner_name,
            "email": self._seed.owner_email,
            "type": "team",
        }

    def project(self) -> JsonObject:
        """Schema `project`."""
        return {
            "id": self._state.project_id,
            "name": "crm",
            "createdAt": rfc3339(self._state.created_at),
            "updatedAt": rfc3339(self._state.created_at),
            "owner": self.owner(),
            "environmentIds": list(self._state.environments.values()),
        }

    def environment(self, name: str, environment_id: str) -> JsonObject:
        """Schema `environment`."""
        state = self._state
        return {
            "id": environment_id,
            "name": name,
            "projectId": state.project_id,
            "databasesIds": [item.id for item in state.postgres.values() if item.environment == name],
            "redisIds": [],
            "serviceIds": [item.id for item in state.services.values() if item.environment == name],
            "envGroupIds": [],
            "protectedStatus": "protected" if name == "production" else "unprotected",
            "networkIsolationEnabled": False,
        }

    def service(self, service: Service) -> JsonObject:
        """Schema `service`, of a web service."""
        return {
            "id": service.id,
            "name": service.name,
            "slug": service.name,
            "ownerId": self._seed.owner_id,
            "environmentId": self._state.environments[service.environment],
            "type": "web_service",
            "repo": self._repository,
            "branch": service.branch,
            "rootDir": service.root_dir,
            "buildFilter": {
                "paths": list(service.build_filter.paths),
                "ignoredPaths": list(service.build_filter.ignored_paths),
            },
            "autoDeploy": "no" if service.autodeploy == "off" else "yes",
            "autoDeployTrigger": service.autodeploy,
            "createdAt": rfc3339(service.created_at),
            "updatedAt": rfc3339(service.updated_at),
            "dashboardUrl": f"{self.base_url}/web/{service.id}",
            "notifyOnFail": "default",
            "suspended": "suspended" if service.suspended else "not_suspended",
            "suspenders": ["user"] if service.suspended else [],
            "serviceDetails": self._web_service_details(service),
        }

    def deploy(self, deploy: Deploy) -> JsonObject:
        """Schema `deploy`."""
        shown: JsonObject = {
            "id": deploy.id,
            "commit": {
                "id": deploy.commit.id,
                "message": deploy.commit.message,
                "createdAt": rfc3339(deploy.commit.created_at),
            },
            "status": deploy.status,
            "trigger": deploy.trigger,
            "createdAt": rfc3339(deploy.created_at),
            "updatedAt": rfc3339(deploy.updated_at),
        }
        if deploy.started_at is not None:
            shown["startedAt"] = rfc3339(deploy.started_at)
        if deploy.finished_at is not None:
            shown["finishedAt"] = rfc3339(deploy.finished_at)
        return shown

    def event(self, event: Event) -> JsonObject:
        """The event of `serviceEventWithCursor`."""
        return {
            "id": event.id,
            "timestamp": rfc3339(event.at),
            "serviceId": event.service_id,
            "type": event.type,
            "details": event.details,
        }

    def postgres(self, postgres: Postgres, instance: DatabaseInstance | None) -> JsonObject:
        """Schema `postgres`, and with `project` also `postgresDetail`."""
        suspended = postgres.status == "suspended"
        return {
            "id": postgres.id,
            "name": postgres.name,
            "owner": self.owner(),
            "project": self.project(),
            "environmentId": self._state.environments[postgres.environment],
            "createdAt": rfc3339(postgres.created_at),
            "updatedAt": rfc3339(postgres.updated_at),
            "dashboardUrl": f"{self.base_url}/d/{postgres.id}",
            "databaseName": instance.database if instance else postgres.database,
            "databaseUser": instance.user if instance else postgres.user,
            "version": instance.version.split(".")[0] if instance else SERVER_VERSION,
            "status": postgres.status,
            "plan": "standard",
            "region": "frankfurt",
            "role": "primary",
            "readReplicas": [],
            "ipAllowList": [{"cidrBlock": "127.0.0.0/8", "description": "loopback"}],
            "highAvailabilityEnabled": False,
            "diskAutoscalingEnabled": False,
            "suspended": "suspended" if suspended else "not_suspended",
            "suspenders": ["user"] if suspended else [],
        }

    def connection_info(self, instance: DatabaseInstance) -> JsonObject:
        """Schema `postgresConnectionInfo`."""
        where = f"-h {instance.host} -p {instance.port} -U {instance.user} {instance.database}"
        return {
            "password": instance.password,
            "internalConnectionString": instance.url,
            "externalConnectionString": instance.url,
            "psqlCommand": f"PGPASSWORD={instance.password} psql {where}",
        }

    def export(self, export: Export) -> JsonObject:
        """An export; its `url` is absent until the archive can be downloaded."""
        shown: JsonObject = {"id": export.id, "createdAt": rfc3339(export.created_at)}
        if export.file is not None:
            name = export.file.rpartition("/")[2]
            shown["url"] = f"{self.base_url}/exports/{export.token}/{name}"
        return shown

    def _web_service_details(self, service: Service) -> JsonObject:
        return {
            "env": "node",
            "runtime": "node",
            "envSpecificDetails": {"buildCommand": "npm ci", "startCommand": f"npm run {service.role}"},
            "plan": "standard",
            "buildPlan": "starter",
            "region": "frankfurt",
            "numInstances": 1,
            "healthCheckPath": service.health_check_path,
            "openPorts": [{"port": service.public_port, "protocol": "TCP"}],
            "pullRequestPreviewsEnabled": "no",
            "previews": {"generation": "off"},
            "maintenanceMode": {"enabled": service.maintenance, "uri": service.maintenance_uri},
            "url": f"http://127.0.0.1:{service.public_port}",
        }
