using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;
using Inferloop.Sandbox.Services.Ec2;
using Inferloop.Sandbox.Services.ElasticLoadBalancing;

namespace Inferloop.Sandbox.Services.Route53;

/// <content>
/// Health checks: each looks at its endpoint every 10 or 30 seconds of the sandbox's clock, and turns after as many looks in a row as its
/// threshold says; those of alarms and of other checks follow what they watch.
/// </content>
internal sealed partial class Route53Service
{
    private static readonly string[] CheckerRegions = ["us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1"];
    private static readonly string[] Configurable =
    [
        "IPAddress", "Port", "ResourcePath", "FullyQualifiedDomainName", "SearchString", "FailureThreshold", "Inverted", "Disabled", "HealthThreshold", "ChildHealthChecks", "EnableSNI", "Regions", "AlarmIdentifier",
        "InsufficientDataHealthStatus",
    ];

    private int isPublishing;

    private void AddHealthChecks()
    {
        On("CreateHealthCheck", CreateCheck);
        On("GetHealthCheck", (context, input) => new JsonObject { ["HealthCheck"] = Check(context, input.Required("HealthCheckId")) });
        On("GetHealthCheckCount", (context, _) => new JsonObject { ["HealthCheckCount"] = Checks(context).Count });
        On("ListHealthChecks", (context, input) => Listed(input, "HealthChecks", Checks(context).All(), check => check.Required("Id")));
        On("UpdateHealthCheck", UpdateCheck);
        On("DeleteHealthCheck", (context, input) =>
        {
            var id = Check(context, input.Required("HealthCheckId")).Required("Id");
            if (Checks(context).Any(other => other.Child("HealthCheckConfig")!.Texts("ChildHealthChecks").Contains(id)))
            {
                throw new ServiceFault("HealthCheckInUse", $"The health check {id} is in use by a calculated health check.");
            }
            Checks(context).Remove(id);
            return [];
        });
        On("GetHealthCheckStatus", (context, input) => new JsonObject { ["HealthCheckObservations"] = Observations(context, Endpoint(context, input), "_Report", "_CheckedAt") });
        On("GetHealthCheckLastFailureReason", (context, input) => new JsonObject { ["HealthCheckObservations"] = Observations(context, Endpoint(context, input), "_LastFailure", "_LastFailureAt") });
    }

    /// <summary>A check that has observations: those of alarms and of other checks have none.</summary>
    private JsonObject Endpoint(RequestContext context, JsonObject input)
    {
        var check = Check(context, input.Required("HealthCheckId"));
        var type = check.Child("HealthCheckConfig")!.Text("Type");
        return type is "CALCULATED" or "CLOUDWATCH_METRIC" ? throw Invalid($"The operation is not supported for health checks of type {type}.") : check;
    }

    private static JsonArray Observations(RequestContext context, JsonObject check, string report, string at)
    {
        if (!check.Has(report))
        {
            return [];
        }
        var regions = check.Child("HealthCheckConfig")!.Texts("Regions");
        return (regions.Count > 0 ? regions : CheckerRegions).Select(region => new JsonObject
        {
            ["Region"] = region,
            ["IPAddress"] = "15.177." + string.Join('.', Convert.FromHexString(Ec2Service.StableHex(region, 4)).Select(part => part)),
            ["StatusReport"] = new JsonObject { ["Status"] = check.Text(report), ["CheckedTime"] = check.Text(at) ?? Documents.AsText(Documents.Time(context.Now)) },
        }).ToJsonList();
    }

    private JsonObject CreateCheck(RequestContext context, JsonObject input)
    {
        var config = input.Child("HealthCheckConfig")!.Copy();
        var reference = input.Required("CallerReference");
        if (Checks(context).Find(check => check.Text("CallerReference") == reference) is { } present)
        {
            // The same request again is answered as before.
            return Documents.Same(present["_Asked"], input["HealthCheckConfig"])
                ? new JsonObject { ["HealthCheck"] = present, ["Location"] = $"https://route53.amazonaws.com/2013-04-01/healthcheck/{present.Text("Id")}" }
                : throw new ServiceFault("HealthCheckAlreadyExists", $"A health check with the caller reference {reference} already exists with different settings.", 409);
        }
        var type = config.Required("Type");
        if (type is "RECOVERY_CONTROL" or "HTTP_STR_MATCH" or "HTTPS_STR_MATCH")
        {
            throw new ServiceFault("NotImplemented", type == "RECOVERY_CONTROL" ? "The sandbox has no routing controls. Nothing was changed." : "The sandbox has no health checks that search in a body: nothing runs in it that would write one. Nothing was changed.", 501);
        }
        if (type is "HTTP" or "HTTPS" or "TCP")
        {
            config["RequestInterval"] ??= 30;
            config["FailureThreshold"] ??= 3;
            config["Port"] ??= type switch { "HTTP" => 80, "HTTPS" => 443, _ => null };
            config["MeasureLatency"] ??= false;
            config["EnableSNI"] ??= type == "HTTPS";
        }
        config["Inverted"] ??= false;
        config["Disabled"] ??= false;
        CheckConfig(context, config, null);
        var id = Runtime.Ids.Uuid();
        Checks(context).Put(id, Describe(context, new JsonObject
        {
            ["Id"] = id,
            ["CallerReference"] = reference,
            ["HealthCheckConfig"] = config,
            ["HealthCheckVersion"] = 1,
            ["_Asked"] = input["HealthCheckConfig"].Copy(),
            ["_Healthy"] = true,
            ["_Streak"] = 0,
            ["_Tags"] = new JsonArray(),
        }));
        Watch(context.Detached(), id);
        PublishStatus();
        return new JsonObject { ["HealthCheck"] = Check(context, id), ["Location"] = $"https://route53.amazonaws.com/2013-04-01/healthcheck/{id}" };
    }

    /// <summary>A check of an alarm shows what the alarm watches.</summary>
    private JsonObject Describe(RequestContext context, JsonObject check)
    {
        check.Remove("CloudWatchAlarmConfiguration");
        if (check.Child("HealthCheckConfig")!.Child("AlarmIdentifier") is { } identifier && AlarmOf(context, identifier) is { } alarm)
        {
            check["CloudWatchAlarmConfiguration"] = alarm.Pick("EvaluationPeriods", "Threshold", "ComparisonOperator", "Period", "MetricName", "Namespace", "Statistic", "Dimensions");
        }
        return check;
    }

    private JsonObject? AlarmOf(RequestContext context, JsonObject identifier) => Runtime.Collection("cloudwatch", "alarms", context.AccountId, identifier.Required("Region")).Get(identifier.Required("Name"));

    private void CheckConfig(RequestContext context, JsonObject config, string? self)
    {
        var type = config.Required("Type");
        switch (type)
        {
            case "CALCULATED":
                var children = config.Texts("ChildHealthChecks");
                if (children.Count == 0)
                {
                    throw Invalid("Invalid parameter : ChildHealthChecks must be specified for a calculated health check.");
                }
                foreach (var child in children)
                {
                    if (Checks(context).Get(child) is not { } found)
                    {
                        throw Invalid($"Invalid parameter : The child health check {child} does not exist.");
                    }
                    if (child == self || found.Child("HealthCheckConfig")!.Text("Type") == "CALCULATED")
                    {
                        throw Invalid("Invalid parameter : A calculated health check cannot monitor another calculated health check.");
                    }
                }
                config["HealthThreshold"] ??= children.Count;
                break;
            case "CLOUDWATCH_METRIC":
                var identifier = config.Child("AlarmIdentifier") ?? throw Invalid("Invalid parameter : AlarmIdentifier must be specified for a CloudWatch metric health check.");
                if (AlarmOf(context, identifier) is not { } alarm)
                {
                    throw Invalid($"Invalid parameter : The alarm {identifier.Text("Name")} does not exist in region {identifier.Text("Region")}.");
                }
                if (!alarm.Has("MetricName"))
                {
                    throw Invalid("Invalid parameter : Route 53 health checks support alarms on a single metric only.");
                }
                config["InsufficientDataHealthStatus"] ??= "LastKnownStatus";
                break;
            default:
                if (!config.Has("IPAddress") && !config.Has("FullyQualifiedDomainName"))
                {
                    throw Invalid("Invalid parameter : Both IP address and domain name can't be empty.");
                }
                if (!config.Has("Port"))
                {
                    throw Invalid("Invalid parameter : Port must be specified for a TCP health check.");
                }
                if (config.Int("RequestInterval") is not (10 or 30))
                {
                    throw Invalid("Invalid parameter : RequestInterval must be 10 or 30.");
                }
                if (config.Texts("Regions") is { Count: > 0 and < 3 })
                {
                    throw Invalid("Invalid parameter : At least three regions must be specified.");
                }
                break;
        }
    }

    private JsonObject UpdateCheck(RequestContext context, JsonObject input)
    {
        var check = Check(context, input.Required("HealthCheckId"));
        if (input.Has("HealthCheckVersion") && input.Long("HealthCheckVersion") != check.Long("HealthCheckVersion"))
        {
            throw new ServiceFault("HealthCheckVersionMismatch", $"The value of HealthCheckVersion in the request doesn't match the value of HealthCheckVersion in the health check: {check.Long("HealthCheckVersion")}.", 409);
        }
        var config = check.Child("HealthCheckConfig")!.Copy();
        foreach (var reset in input.Texts("ResetElements"))
        {
            config.Remove(reset);
        }
        config.Take(input, Configurable);
        CheckConfig(context, config, check.Text("Id"));
        Checks(context).Update(check.Required("Id"), document =>
        {
            document["HealthCheckConfig"] = config.Copy();
            document["HealthCheckVersion"] = check.Long("HealthCheckVersion") + 1;
            Describe(context, document);
        });
        return new JsonObject { ["HealthCheck"] = Check(context, check.Required("Id")) };
    }

    private void Watch(RequestContext context, string id)
    {
        if (Checks(context).Get(id)?.Child("HealthCheckConfig") is not { } config || config.Text("Type") == "CALCULATED")
        {
            return;
        }
        Runtime.After(TimeSpan.FromSeconds(config.Int("RequestInterval") ?? 10), () =>
        {
            Look(context, id);
            Watch(context, id);
        });
    }

    private void Look(RequestContext context, string id)
    {
        if (Checks(context).Get(id) is not { } check || check.Child("HealthCheckConfig") is not { } config)
        {
            return;
        }
        if (config.Text("Type") == "CLOUDWATCH_METRIC")
        {
            var identifier = config.Child("AlarmIdentifier")!;
            var isLost = Runtime.Faults.IsRegionLost(identifier.Required("Region"));
            bool? state = (isLost ? "INSUFFICIENT_DATA" : Runtime.Service<CloudWatchService>().StateOf(context.InRegion(identifier.Required("Region")), identifier.Required("Name"))) switch
            {
                "OK" => true,
                "ALARM" => false,
                _ => config.Text("InsufficientDataHealthStatus") switch { "Healthy" => true, "Unhealthy" => false, _ => null },
            };
            if (state is { } known)
            {
                Checks(context).Update(id, document => document["_Healthy"] = known);
            }
            return;
        }
        var (passes, report) = Observe(context, config);
        Checks(context).Update(id, document =>
        {
            document["_Report"] = report;
            document["_CheckedAt"] = Documents.Time(context.Now);
            if (!passes)
            {
                document["_LastFailure"] = report;
                document["_LastFailureAt"] = Documents.Time(context.Now);
            }
            if (passes == document.Is("_Healthy"))
            {
                document["_Streak"] = 0;
                return;
            }
            var streak = (document.Int("_Streak") ?? 0) + 1;
            var turns = streak >= (config.Int("FailureThreshold") ?? 3);
            document["_Streak"] = turns ? 0 : streak;
            document["_Healthy"] = turns ? passes : !passes;
        });
    }

    private (bool Passes, string Report) Observe(RequestContext context, JsonObject config)
    {
        var balancing = Runtime.Service<ElbService>();
        var (port, isHttp) = (config.Int("Port") ?? 80, config.Text("Type") != "TCP");
        if (config.Text("IPAddress") is { } address)
        {
            return balancing.FindByAddress(context, address) is { } at ? balancing.Probe(at.Context, at.Balancer, port, isHttp)
                : (false, "Failure: Connection timed out. The endpoint or the internet connection is down, or requests are being blocked by your firewall. See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-router-firewall-rules.html");
        }
        var name = config.Required("FullyQualifiedDomainName");
        if (balancing.FindByName(context, name) is { } balancer)
        {
            return balancing.Probe(balancer.Context, balancer.Balancer, port, isHttp);
        }
        // A name of a zone here leads to a balancer by its records.
        var found = Resolve(context, Names.Normal(name), "A", 0).Select(value => balancing.FindByAddress(context, value)).FirstOrDefault(item => item is not null);
        return found is { } resolved ? balancing.Probe(resolved.Context, resolved.Balancer, port, isHttp) : (false, "Failure: DNS resolution failed: Rcode NXDomain(3)");
    }

    /// <summary>Whether a health check says healthy, as records that name it are judged.</summary>
    public bool IsHealthy(RequestContext context, string id)
    {
        if (Checks(context).Get(id) is not { } check || check.Child("HealthCheckConfig") is not { } config)
        {
            // A record whose health check was deleted counts as healthy.
            return true;
        }
        if (config.Is("Disabled"))
        {
            // Route 53 takes it for healthy; inverted, for unhealthy.
            return !config.Is("Inverted");
        }
        var isHealthy = config.Text("Type") == "CALCULATED"
            ? config.Texts("ChildHealthChecks").Count(child => IsHealthy(context, child)) >= (config.Int("HealthThreshold") ?? 0)
            : check.Is("_Healthy");
        return isHealthy != config.Is("Inverted");
    }

    /// <summary>What checks tell CloudWatch each minute, in us-east-1 alone, while somebody watches.</summary>
    private void PublishStatus()
    {
        if (Interlocked.Exchange(ref isPublishing, 1) != 0)
        {
            return;
        }
        var monitoring = Runtime.Service<CloudWatchService>();
        monitoring.Pulse.Publish((context, moment) =>
        {
            if (context.Region != "us-east-1")
            {
                return;
            }
            foreach (var check in Checks(context).All())
            {
                var (id, config) = (check.Required("Id"), check.Child("HealthCheckConfig")!);
                var healthy = IsHealthy(context, id);
                monitoring.Publish(context, "AWS/Route53", "HealthCheckStatus", moment.AddMinutes(-1), [(healthy ? 1 : 0, 1)], "None", ("HealthCheckId", id));
                if (config.Text("Type") is "HTTP" or "HTTPS" or "TCP")
                {
                    monitoring.Publish(context, "AWS/Route53", "HealthCheckPercentageHealthy", moment.AddMinutes(-1), [(check.Is("_Healthy") ? 100 : 0, 1)], "Percent", ("HealthCheckId", id));
                }
                else if (config.Text("Type") == "CALCULATED")
                {
                    monitoring.Publish(context, "AWS/Route53", "ChildHealthCheckHealthyCount", moment.AddMinutes(-1), [(config.Texts("ChildHealthChecks").Count(child => IsHealthy(context, child)), 1)], "Count", ("HealthCheckId", id));
                }
            }
        });
    }
}
