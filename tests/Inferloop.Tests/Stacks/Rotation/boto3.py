"""Stands in for boto3 while the rotation function is tested: secrets with versions and stages, a cache, a service."""
import json
import os
import secrets
import string

STATE = {}
CALLS = []


class Missing(Exception):
    pass


class SecretsManager:
    class exceptions:
        ResourceNotFoundException = Missing

    def describe_secret(self, SecretId):
        return {"VersionIdsToStages": {k: list(v["stages"]) for k, v in STATE["secrets"][SecretId].items() if v["stages"] or v.get("announced")}}

    def get_secret_value(self, SecretId, VersionStage, VersionId=None):
        for version, held in STATE["secrets"][SecretId].items():
            if VersionStage in held["stages"] and VersionId in (None, version) and held["value"] is not None:
                return {"SecretString": held["value"], "VersionId": version}
        raise Missing(VersionStage)

    def put_secret_value(self, SecretId, ClientRequestToken, SecretString, VersionStages):
        CALLS.append("put_secret_value")
        STATE["secrets"][SecretId][ClientRequestToken] = {"value": SecretString, "stages": VersionStages}

    def get_random_password(self, PasswordLength, ExcludePunctuation):
        assert ExcludePunctuation
        return {"RandomPassword": "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(PasswordLength))}

    def update_secret_version_stage(self, SecretId, VersionStage, MoveToVersionId, RemoveFromVersionId):
        CALLS.append("update_secret_version_stage")
        versions = STATE["secrets"][SecretId]
        versions[RemoveFromVersionId]["stages"].remove(VersionStage)
        versions[RemoveFromVersionId]["stages"].append("AWSPREVIOUS")
        versions[MoveToVersionId]["stages"] = [VersionStage]


class ElastiCache:
    def describe_replication_groups(self, ReplicationGroupId):
        assert ReplicationGroupId == os.environ["CACHE_GROUP"]
        return {"ReplicationGroups": [{"Status": "available"}]}

    def modify_replication_group(self, ReplicationGroupId, AuthToken, AuthTokenUpdateStrategy, ApplyImmediately):
        assert ReplicationGroupId == os.environ["CACHE_GROUP"] and ApplyImmediately and AuthTokenUpdateStrategy == "ROTATE"
        CALLS.append("modify_replication_group")
        STATE["accepted"] = STATE["accepted"][-1:] + [AuthToken]

    def describe_users(self, UserId):
        assert UserId == os.environ["CACHE_USER"]
        return {"Users": [{"Status": "active"}]}

    def modify_user(self, UserId, Passwords):
        assert UserId == os.environ["CACHE_USER"]
        CALLS.append("modify_user")
        STATE["accepted"] = Passwords


class Ecs:
    def update_service(self, cluster, service, forceNewDeployment):
        assert forceNewDeployment
        CALLS.append(f"update_service {cluster}/{service}")
        if STATE.get("service_fails", 0) > 0:
            STATE["service_fails"] -= 1
            raise RuntimeError("the service could not be updated")


def client(name):
    return {"secretsmanager": SecretsManager, "elasticache": ElastiCache, "ecs": Ecs}[name]()


def load(text):
    STATE.update(json.loads(text))
