using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Logs;

/// <summary>The AWS::Logs resource types.</summary>
internal static class LogsResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<LogsService>();
        return
        [
            Group(service), Stream(service), Query(service), Policy(service),
            Filter(service, "AWS::Logs::MetricFilter", "MetricFilter", "metricFilters"), Filter(service, "AWS::Logs::SubscriptionFilter", "SubscriptionFilter", "subscriptionFilters"),
        ];
    }

    private static Provider Group(LogsService service)
    {
        async Task<JsonObject?> Find(ProvisionContext context, string name) =>
            (await service.CallAsync(context, "DescribeLogGroups", new JsonObject { ["logGroupNamePrefix"] = name }).ConfigureAwait(false)).Objects("logGroups").FirstOrDefault(group => group.Text("logGroupName") == name);
        JsonObject Name(string name) => new() { ["logGroupName"] = name };
        async Task Settings(ProvisionContext context, string name, JsonObject before, JsonObject after)
        {
            if (after.Changed(before, "RetentionInDays"))
            {
                await service.CallAsync(context, after.Has("RetentionInDays") ? "PutRetentionPolicy" : "DeleteRetentionPolicy",
                    after.Has("RetentionInDays") ? Name(name).With("retentionInDays", after.Int("RetentionInDays")) : Name(name)).ConfigureAwait(false);
            }
            if (after.Changed(before, "KmsKeyId"))
            {
                await service.CallAsync(context, after.Has("KmsKeyId") ? "AssociateKmsKey" : "DisassociateKmsKey",
                    after.Has("KmsKeyId") ? Name(name).With("kmsKeyId", after.Text("KmsKeyId")) : Name(name)).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::Logs::LogGroup")
        {
            Service = "CloudWatchLogs",
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "LogGroupName", 512);
                await service.CallAsync(context, "CreateLogGroup", Name(name).With("logGroupClass", properties.Text("LogGroupClass")).With("tags", Tags.AsMap(context.MergedTags(properties["Tags"]).OfType<JsonObject>()))).ConfigureAwait(false);
                context.Initiated(name);
                await Settings(context, name, [], properties).ConfigureAwait(false);
                return name;
            },
            Update = async (context, name, before, after) =>
            {
                await Settings(context, name, before, after).ConfigureAwait(false);
                var arn = context.Request.Arn("logs", "log-group:" + name);
                var (put, removed) = ProviderExtensions.TagChange(context, before, after);
                if (removed.Count > 0)
                {
                    await service.CallAsync(context, "UntagResource", new JsonObject { ["resourceArn"] = arn, ["tagKeys"] = removed }).ConfigureAwait(false);
                }
                if (put.Count > 0)
                {
                    await service.CallAsync(context, "TagResource", new JsonObject { ["resourceArn"] = arn, ["tags"] = Tags.AsMap(put.OfType<JsonObject>()) }).ConfigureAwait(false);
                }
            },
            Delete = (context, name, _) => service.CallAsync(context, "DeleteLogGroup", Name(name)),
            Read = async (context, name) => await Find(context, name).ConfigureAwait(false) is { } group
                ? new JsonObject { ["LogGroupName"] = name, ["LogGroupClass"] = group.Text("logGroupClass") }.With("RetentionInDays", group["retentionInDays"].Copy()).With("KmsKeyId", group.Text("kmsKeyId")).With("Tags", Tags.OfTemplate(group.Objects("_Tags")))
                : null,
            Attributes = (context, name) => Task.FromResult(ProviderExtensions.Attributes(("Arn", context.Request.Arn("logs", $"log-group:{name}:*")))),
        };
    }

    private static Provider Stream(LogsService service) => new("AWS::Logs::LogStream")
    {
        Service = "CloudWatchLogs",
        Create = async (context, properties) =>
        {
            var name = context.NameOf(properties, "LogStreamName", 512);
            await service.CallAsync(context, "CreateLogStream", new JsonObject { ["logGroupName"] = properties.Text("LogGroupName"), ["logStreamName"] = name }).ConfigureAwait(false);
            return $"{properties.Text("LogGroupName")}|{name}";
        },
        Reference = id => id.Split('|')[1],
        Delete = (context, id, _) => service.CallAsync(context, "DeleteLogStream", new JsonObject { ["logGroupName"] = id.Split('|')[0], ["logStreamName"] = id.Split('|')[1] }),
        Read = async (context, id) => (await service.CallAsync(context, "DescribeLogStreams", new JsonObject { ["logGroupName"] = id.Split('|')[0], ["logStreamNamePrefix"] = id.Split('|')[1] }).ConfigureAwait(false))
            .Objects("logStreams").Any(stream => stream.Text("logStreamName") == id.Split('|')[1]) ? new JsonObject { ["LogGroupName"] = id.Split('|')[0], ["LogStreamName"] = id.Split('|')[1] } : null,
    };

    private static Provider Filter(LogsService service, string type, string kind, string member) => new(type)
    {
        Service = "CloudWatchLogs",
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(service, "Put" + kind, properties);
            input["filterName"] = context.NameOf(properties, "FilterName", 512);
            await service.CallAsync(context, "Put" + kind, input).ConfigureAwait(false);
            return $"{properties.Text("LogGroupName")}|{input.Text("filterName")}";
        },
        Reference = id => id.Split('|')[1],
        Update = (context, id, _, after) =>
        {
            var input = PropertyMapper.ToInput(service, "Put" + kind, after);
            input["filterName"] = id.Split('|')[1];
            return service.CallAsync(context, "Put" + kind, input);
        },
        Delete = (context, id, _) => service.CallAsync(context, "Delete" + kind, new JsonObject { ["logGroupName"] = id.Split('|')[0], ["filterName"] = id.Split('|')[1] }),
        Read = async (context, id) => (await service.CallAsync(context, $"Describe{kind}s", new JsonObject { ["logGroupName"] = id.Split('|')[0], ["filterNamePrefix"] = id.Split('|')[1] }).ConfigureAwait(false))
            .Objects(member).FirstOrDefault(item => item.Text("filterName") == id.Split('|')[1]) is { } found
            ? (JsonObject)PropertyMapper.ToProperties(service.Model.Shape(kind), found)! : null,
    };

    private static Provider Query(LogsService service) => new("AWS::Logs::QueryDefinition")
    {
        Service = "CloudWatchLogs",
        Create = async (context, properties) => (await service.CallMappedAsync(context, "PutQueryDefinition", properties).ConfigureAwait(false)).Required("queryDefinitionId"),
        Update = (context, id, _, after) => service.CallMappedAsync(context, "PutQueryDefinition", after.Copy().With("queryDefinitionId", id)),
        Delete = (context, id, _) => service.CallAsync(context, "DeleteQueryDefinition", new JsonObject { ["queryDefinitionId"] = id }),
        Read = async (context, id) => (await service.CallAsync(context, "DescribeQueryDefinitions", []).ConfigureAwait(false)).Objects("queryDefinitions").FirstOrDefault(item => item.Text("queryDefinitionId") == id) is { } found
            ? (JsonObject)PropertyMapper.ToProperties(service.Model.Shape("QueryDefinition"), found)! : null,
        Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("QueryDefinitionId", id))),
    };

    private static Provider Policy(LogsService service)
    {
        Task Put(ProvisionContext context, JsonObject properties) =>
            service.CallAsync(context, "PutResourcePolicy", new JsonObject { ["policyName"] = properties.Text("PolicyName"), ["policyDocument"] = PolicyDocument.AsText(properties["PolicyDocument"]) });
        return new Provider("AWS::Logs::ResourcePolicy")
        {
            Service = "CloudWatchLogs",
            Create = async (context, properties) =>
            {
                await Put(context, properties).ConfigureAwait(false);
                return properties.Required("PolicyName");
            },
            Update = (context, _, _, after) => Put(context, after),
            Delete = (context, name, _) => service.CallAsync(context, "DeleteResourcePolicy", new JsonObject { ["policyName"] = name }),
            Read = async (context, name) => (await service.CallAsync(context, "DescribeResourcePolicies", []).ConfigureAwait(false)).Objects("resourcePolicies").FirstOrDefault(item => item.Text("policyName") == name) is { } found
                ? new JsonObject { ["PolicyName"] = name, ["PolicyDocument"] = found.Text("policyDocument") } : null,
        };
    }
}
