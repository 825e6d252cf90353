using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ServiceDiscovery;

/// <summary>Cloud Map: namespaces, services and the instances registered in them.</summary>
internal sealed class ServiceDiscoveryService : SandboxService
{
    public ServiceDiscoveryService(SandboxRuntime runtime)
        : base(runtime, "servicediscovery")
    {
        On("CreatePrivateDnsNamespace", (context, input) => CreateNamespace(context, input, "DNS_PRIVATE"));
        On("CreateHttpNamespace", (context, input) => CreateNamespace(context, input, "HTTP"));
        On("DeleteNamespace", DeleteNamespace);
        On("GetNamespace", (context, input) => new JsonObject { ["Namespace"] = Counted(context, Namespace(context, input.Required("Id"))) });
        On("ListNamespaces", (context, input) => Pages.Answer(input, Namespaces(context).All().Where(item => Matches(item, input)).Select(item => Counted(context, item)).ToList(), "Namespaces", defaultSize: 100));
        On("CreateService", CreateService);
        On("UpdateService", (context, input) =>
        {
            var id = Service(context, input.Required("Id")).Required("Id");
            var change = input.Child("Service")!;
            ServicesIn(context).Update(id, document =>
            {
                document.Take(change, "Description", "HealthCheckConfig");
                if (change.Child("DnsConfig") is { } dns)
                {
                    document.ChildOrNew("DnsConfig").Take(dns, "DnsRecords");
                }
            });
            return Operation(context, "UPDATE_SERVICE", "SERVICE", id);
        });
        On("DeleteService", (context, input) =>
        {
            var service = Service(context, input.Required("Id"));
            if (Members(context).Any(item => item.Text("_Service") == service.Text("Id")))
            {
                throw new ServiceFault("ResourceInUse", "Service contains registered instances; delete the instances before deleting the service");
            }
            ServicesIn(context).Remove(service.Required("Id"));
            return [];
        });
        On("GetService", (context, input) => new JsonObject { ["Service"] = WithCount(context, Service(context, input.Required("Id"))) });
        On("ListServices", (context, input) => Pages.Answer(input, ServicesIn(context).All().Where(item => Matches(item, input)).Select(item => WithCount(context, item)).ToList(), "Services", defaultSize: 100));
        On("RegisterInstance", (context, input) =>
        {
            var service = Service(context, input.Required("ServiceId"));
            var attributes = input.Map("Attributes");
            if (service.Child("DnsConfig") is not null && !attributes.ContainsKey("AWS_INSTANCE_IPV4") && !attributes.ContainsKey("AWS_INSTANCE_CNAME") && !attributes.ContainsKey("AWS_ALIAS_DNS_NAME"))
            {
                throw new ServiceFault("InvalidInput", "The attribute AWS_INSTANCE_IPV4 is missing.");
            }
            Add(context, service.Required("Id"), input.Required("InstanceId"), attributes);
            return Operation(context, "REGISTER_INSTANCE", "INSTANCE", input.Required("InstanceId"));
        });
        On("DeregisterInstance", (context, input) =>
        {
            var service = Service(context, input.Required("ServiceId"));
            return Members(context).Remove($"{service.Text("Id")}/{input.Text("InstanceId")}")
                ? Operation(context, "DEREGISTER_INSTANCE", "INSTANCE", input.Required("InstanceId"))
                : throw new ServiceFault("InstanceNotFound", $"Instance not found: {input.Text("InstanceId")}");
        });
        On("ListInstances", (context, input) =>
        {
            var service = Service(context, input.Required("ServiceId"));
            return Pages.Answer(input, Members(context).Where(item => item.Text("_Service") == service.Text("Id")).ToList(), "Instances", defaultSize: 100);
        });
        On("GetInstance", (context, input) => new JsonObject
        {
            ["Instance"] = Members(context).Get($"{Service(context, input.Required("ServiceId")).Text("Id")}/{input.Text("InstanceId")}")
                ?? throw new ServiceFault("InstanceNotFound", $"Instance not found: {input.Text("InstanceId")}"),
        });
        On("DiscoverInstances", DiscoverInstances);
        On("GetOperation", (context, input) => new JsonObject
        {
            ["Operation"] = OperationLog(context).Get(input.Required("OperationId")) ?? throw new ServiceFault("OperationNotFound", $"Operation not found: {input.Text("OperationId")}"),
        });
        On("ListOperations", (context, input) => Pages.Answer(input, OperationLog(context).All().Select(item => item.Pick("Id", "Status")).ToList(), "Operations", defaultSize: 100));
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("Tags"))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["Tags"] = Tagged(context, input.Required("ResourceARN")).Found["_Tags"].Copy() ?? new JsonArray() });
    }

    private Collection Namespaces(RequestContext context) => Collection(context, "namespaces");

    private Collection ServicesIn(RequestContext context) => Collection(context, "services");

    private Collection Members(RequestContext context) => Collection(context, "instances");

    private Collection OperationLog(RequestContext context) => Collection(context, "operations");

    /// <summary>Whether a registry's service exists, for ECS.</summary>
    public bool Exists(RequestContext context, string arn) => ServicesIn(context).Contains(arn.Split('/')[^1]);

    /// <summary>Registers a task, for ECS.</summary>
    public void Put(RequestContext context, string arn, string instance, string address, string? zone)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal) { ["AWS_INSTANCE_IPV4"] = address, ["AWS_INIT_HEALTH_STATUS"] = "HEALTHY", ["REGION"] = context.Region };
        if (zone is not null)
        {
            attributes["AVAILABILITY_ZONE"] = zone;
        }
        Add(context, arn.Split('/')[^1], instance, attributes);
    }

    public void Remove(RequestContext context, string arn, string instance) => Members(context).Remove($"{arn.Split('/')[^1]}/{instance}");

    private void Add(RequestContext context, string service, string instance, Dictionary<string, string> attributes) => Members(context).Put($"{service}/{instance}",
        new JsonObject { ["Id"] = instance, ["Attributes"] = attributes.ToMap(), ["CreatedByAccount"] = context.AccountId, ["_Service"] = service });

    private JsonObject Namespace(RequestContext context, string id) => Namespaces(context).Get(id.Split('/')[^1]) ?? throw new ServiceFault("NamespaceNotFound", $"Namespace not found: {id}");

    private JsonObject Service(RequestContext context, string id) => ServicesIn(context).Get(id.Split('/')[^1]) ?? throw new ServiceFault("ServiceNotFound", $"Service not found: {id}");

    private JsonObject Counted(RequestContext context, JsonObject item)
    {
        item["ServiceCount"] = ServicesIn(context).Where(service => service.Text("NamespaceId") == item.Text("Id")).Count;
        return item;
    }

    private JsonObject WithCount(RequestContext context, JsonObject item)
    {
        item["InstanceCount"] = Members(context).Where(member => member.Text("_Service") == item.Text("Id")).Count;
        return item;
    }

    private static bool Matches(JsonObject document, JsonObject input) => input.Objects("Filters").All(filter =>
    {
        var member = filter.Text("Name") switch { "NAMESPACE_ID" => "NamespaceId", "TYPE" => "Type", "NAME" or "HTTP_NAME" => "Name", "RESOURCE_OWNER" => "", var other => throw new ServiceFault("InvalidInput", $"Invalid filter: {other}") };
        return member.Length == 0 || filter.Texts("Values").Contains(document.Text(member) ?? "");
    });

    private JsonObject Operation(RequestContext context, string type, string target, string id, string status = "SUCCESS")
    {
        var operation = $"{Runtime.Ids.Lower(32)}-{Runtime.Ids.Lower(8)}";
        OperationLog(context).Put(operation, new JsonObject
        {
            ["Id"] = operation,
            ["OwnerAccount"] = context.AccountId,
            ["Type"] = type,
            ["Status"] = status,
            ["CreateDate"] = Documents.Time(context.Now),
            ["UpdateDate"] = Documents.Time(context.Now),
            ["Targets"] = new JsonObject { [target] = id },
        });
        return new JsonObject { ["OperationId"] = operation };
    }

    private JsonObject CreateNamespace(RequestContext context, JsonObject input, string type)
    {
        var name = input.Required("Name");
        var zone = $"Z{Runtime.Ids.Upper(20)}";
        if (type == "DNS_PRIVATE")
        {
            _ = Runtime.Service<Ec2.Ec2Service>().Vpc(context, input.Required("Vpc"));
        }
        if (Namespaces(context).Any(item => item.Text("Name") == name && item.Text("Type") == type && item.Text("_Vpc") == input.Text("Vpc")))
        {
            throw new ServiceFault("NamespaceAlreadyExists", "Duplicate namespace");
        }
        var id = "ns-" + Runtime.Ids.Lower(16);
        var properties = new JsonObject { ["HttpProperties"] = new JsonObject { ["HttpName"] = name } };
        if (type != "HTTP")
        {
            properties["DnsProperties"] = new JsonObject { ["HostedZoneId"] = zone, ["SOA"] = new JsonObject { ["TTL"] = input.Child("Properties")?.Child("DnsProperties")?.Child("SOA")?.Long("TTL") ?? 15 } };
        }
        var made = new JsonObject
        {
            ["Id"] = id,
            ["Arn"] = context.Arn("servicediscovery", "namespace/" + id),
            ["Name"] = name,
            ["Type"] = type,
            ["Properties"] = properties,
            ["CreateDate"] = Documents.Time(context.Now),
            ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
            ["_Vpc"] = input.Text("Vpc"),
        }.Take(input, "Description", "CreatorRequestId");
        var answer = Operation(context, "CREATE_NAMESPACE", "NAMESPACE", id, "PENDING");
        var operation = answer.Required("OperationId");
        Runtime.After(type == "HTTP" ? TimeSpan.FromSeconds(5) : Durations.PrivateDnsNamespace, () =>
        {
            Namespaces(context).Put(id, made);
            OperationLog(context).Update(operation, document =>
            {
                document["Status"] = "SUCCESS";
                document["UpdateDate"] = Documents.Time(Runtime.Clock.Now);
            });
        });
        return answer;
    }

    private JsonObject DeleteNamespace(RequestContext context, JsonObject input)
    {
        var id = Namespace(context, input.Required("Id")).Required("Id");
        if (ServicesIn(context).Any(service => service.Text("NamespaceId") == id))
        {
            throw new ServiceFault("ResourceInUse", "Namespace has associated services");
        }
        Namespaces(context).Remove(id);
        return Operation(context, "DELETE_NAMESPACE", "NAMESPACE", id);
    }

    private JsonObject CreateService(RequestContext context, JsonObject input)
    {
        var space = Namespace(context, input.Text("NamespaceId") ?? input.Child("DnsConfig")?.Text("NamespaceId") ?? throw new ServiceFault("InvalidInput", "NamespaceId is required."));
        if (input.Has("HealthCheckConfig") && input.Has("HealthCheckCustomConfig"))
        {
            throw new ServiceFault("InvalidInput", "You can specify either HealthCheckConfig or HealthCheckCustomConfig, not both.");
        }
        if (input.Has("HealthCheckConfig") && space.Text("Type") == "DNS_PRIVATE")
        {
            throw new ServiceFault("InvalidInput", "HealthCheckConfig is not supported for services in private DNS namespaces.");
        }
        if (ServicesIn(context).Find(item => item.Text("NamespaceId") == space.Text("Id") && item.Text("Name") == input.Text("Name")) is { } present)
        {
            throw new ServiceFault("ServiceAlreadyExists", "Service already exists.", 400, new JsonObject { ["ServiceId"] = present.Text("Id"), ["ServiceArn"] = present.Text("Arn") });
        }
        var id = "srv-" + Runtime.Ids.Lower(16);
        var service = new JsonObject
        {
            ["Id"] = id,
            ["Arn"] = context.Arn("servicediscovery", "service/" + id),
            ["Name"] = input.Text("Name"),
            ["NamespaceId"] = space.Text("Id"),
            ["Type"] = input.Has("DnsConfig") ? "DNS_HTTP" : "HTTP",
            ["CreateDate"] = Documents.Time(context.Now),
            ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
        }.Take(input, "Description", "DnsConfig", "HealthCheckConfig", "HealthCheckCustomConfig", "CreatorRequestId");
        if (service.Child("DnsConfig") is { } dns)
        {
            dns["RoutingPolicy"] ??= "MULTIVALUE";
            dns.Remove("NamespaceId");
        }
        if (service.Child("HealthCheckCustomConfig") is { } check)
        {
            check["FailureThreshold"] ??= 1;
        }
        ServicesIn(context).Put(id, service);
        return new JsonObject { ["Service"] = WithCount(context, service.Copy()) };
    }

    private JsonObject DiscoverInstances(RequestContext context, JsonObject input)
    {
        var space = Namespaces(context).Find(item => item.Text("Name") == input.Text("NamespaceName")) ?? throw new ServiceFault("NamespaceNotFound", $"Namespace not found: {input.Text("NamespaceName")}");
        var service = ServicesIn(context).Find(item => item.Text("NamespaceId") == space.Text("Id") && item.Text("Name") == input.Text("ServiceName"))
            ?? throw new ServiceFault("ServiceNotFound", $"Service not found: {input.Text("ServiceName")}");
        var wanted = input.Map("QueryParameters");
        return new JsonObject
        {
            ["Instances"] = Members(context).Where(item => item.Text("_Service") == service.Text("Id") && wanted.All(pair => item.Map("Attributes").GetValueOrDefault(pair.Key) == pair.Value))
                .Take(input.Int("MaxResults") ?? 100).Select(item => new JsonObject
                {
                    ["InstanceId"] = item.Text("Id"),
                    ["NamespaceName"] = space.Text("Name"),
                    ["ServiceName"] = service.Text("Name"),
                    ["HealthStatus"] = "HEALTHY",
                    ["Attributes"] = item["Attributes"].Copy(),
                }).ToJsonList(),
            ["InstancesRevision"] = 1,
        };
    }

    private (Collection Kind, JsonObject Found) Tagged(RequestContext context, string arn)
    {
        var id = arn.Split('/')[^1];
        var kind = id.StartsWith("ns-", StringComparison.Ordinal) ? Namespaces(context) : ServicesIn(context);
        return (kind, kind.Get(id) ?? throw new ServiceFault("ResourceNotFoundException", $"The resource {arn} was not found."));
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var (kind, found) = Tagged(context, input.Required("ResourceARN"));
        kind.Update(found.Required("Id"), change);
        return [];
    }
}
