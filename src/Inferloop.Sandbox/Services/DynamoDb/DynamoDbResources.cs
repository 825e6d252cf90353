using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>AWS::DynamoDB::Table, and what AWS::DynamoDB::GlobalTable shares with it.</summary>
internal static class DynamoDbResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<DynamoDbService>();
        yield return new Provider("AWS::DynamoDB::Table")
        {
            Service = "DynamoDb",
            Busy = ["ResourceInUseException"],
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "TableName");
                await CreateAsync(service, context, name, properties).ConfigureAwait(false);
                return name;
            },
            Update = (context, name, before, after) => UpdateAsync(service, context, name, before, after),
            Delete = async (context, name, _) =>
            {
                await service.CallAsync(context, "DeleteTable", new JsonObject { ["TableName"] = name }).ConfigureAwait(false);
                await context.WaitUntilAsync(async () => await FindAsync(service, context, name).ConfigureAwait(false) is null).ConfigureAwait(false);
            },
            Read = async (context, name) => await FindAsync(service, context, name).ConfigureAwait(false) is { } table
                ? await PropertiesAsync(service, context, table).ConfigureAwait(false)
                : null,
            Attributes = async (context, name) => await FindAsync(service, context, name).ConfigureAwait(false) is { } table
                ? ProviderExtensions.Attributes(("Arn", table["TableArn"]), ("StreamArn", table.Has("StreamSpecification") ? table["LatestStreamArn"] : null))
                : ProvisionedResource.NoAttributes,
        };
        yield return GlobalTableResource.Provider(service);
    }

    /// <summary>Makes a table and everything that is set by calls of its own.</summary>
    public static async Task CreateAsync(DynamoDbService service, ProvisionContext context, string name, JsonObject properties)
    {
        var input = properties.Tagged(context);
        input["TableName"] = name;
        await service.CallMappedAsync(context, "CreateTable", Schema(input)).ConfigureAwait(false);
        context.Initiated(name);
        await ActiveAsync(service, context, name).ConfigureAwait(false);
        await SettingsAsync(service, context, name, [], properties).ConfigureAwait(false);
    }

    /// <summary>The template's words for what the API calls otherwise.</summary>
    private static JsonObject Schema(JsonObject properties)
    {
        var schema = properties.Copy();
        if (schema.Child("SSESpecification") is { } encryption && encryption.Remove("SSEEnabled", out var enabled))
        {
            encryption["Enabled"] = enabled;
        }
        if (schema.Child("StreamSpecification") is { } stream)
        {
            stream["StreamEnabled"] = true;
        }
        schema.Remove("ResourcePolicy");
        if (properties.Child("ResourcePolicy")?["PolicyDocument"] is { } policy)
        {
            schema["ResourcePolicy"] = policy.ToJsonString();
        }
        return schema;
    }

    public static async Task ActiveAsync(DynamoDbService service, ProvisionContext context, string name) => await context.WaitUntilAsync(async () =>
        await FindAsync(service, context, name).ConfigureAwait(false) is { } table && table.Text("TableStatus") == "ACTIVE").ConfigureAwait(false);

    public static async Task<JsonObject?> FindAsync(DynamoDbService service, ProvisionContext context, string name)
    {
        try
        {
            return (await service.CallAsync(context, "DescribeTable", new JsonObject { ["TableName"] = name }).ConfigureAwait(false)).Child("Table");
        }
        catch (ServiceFault fault) when (fault.Code == "ResourceNotFoundException")
        {
            return null;
        }
    }

    /// <summary>What is set by calls of its own: recovery, expiry, insights.</summary>
    public static async Task SettingsAsync(DynamoDbService service, ProvisionContext context, string name, JsonObject before, JsonObject after)
    {
        if (after.Changed(before, "PointInTimeRecoverySpecification"))
        {
            await service.CallMappedAsync(context, "UpdateContinuousBackups", new JsonObject
            {
                ["TableName"] = name,
                ["PointInTimeRecoverySpecification"] = after["PointInTimeRecoverySpecification"].Copy() ?? new JsonObject { ["PointInTimeRecoveryEnabled"] = false },
            }).ConfigureAwait(false);
        }
        var (was, now) = (before.Child("TimeToLiveSpecification"), after.Child("TimeToLiveSpecification"));
        if (!Documents.Same(was, now))
        {
            if (was is not null && was.Is("Enabled") && (now is null || !now.Is("Enabled") || now.Text("AttributeName") != was.Text("AttributeName")))
            {
                await service.CallMappedAsync(context, "UpdateTimeToLive", new JsonObject
                {
                    ["TableName"] = name,
                    ["TimeToLiveSpecification"] = new JsonObject { ["AttributeName"] = was.Text("AttributeName"), ["Enabled"] = false },
                }).ConfigureAwait(false);
            }
            if (now is not null && now.Is("Enabled"))
            {
                await service.CallMappedAsync(context, "UpdateTimeToLive", new JsonObject { ["TableName"] = name, ["TimeToLiveSpecification"] = now.Copy() }).ConfigureAwait(false);
            }
        }
        if (after.Changed(before, "ContributorInsightsSpecification"))
        {
            await service.CallAsync(context, "UpdateContributorInsights", new JsonObject
            {
                ["TableName"] = name,
                ["ContributorInsightsAction"] = after.Child("ContributorInsightsSpecification")?.Is("Enabled") == true ? "ENABLE" : "DISABLE",
            }).ConfigureAwait(false);
        }
    }

    public static async Task UpdateAsync(DynamoDbService service, ProvisionContext context, string name, JsonObject before, JsonObject after)
    {
        async Task Call(JsonObject input)
        {
            input["TableName"] = name;
            await service.CallMappedAsync(context, "UpdateTable", input).ConfigureAwait(false);
            await ActiveAsync(service, context, name).ConfigureAwait(false);
        }
        var change = Schema(after).Pick("AttributeDefinitions");
        if (after.Changed(before, "BillingMode", "ProvisionedThroughput"))
        {
            change.Take(after, "BillingMode", "ProvisionedThroughput");
        }
        foreach (var member in (string[])["SSESpecification", "TableClass", "DeletionProtectionEnabled", "OnDemandThroughput"])
        {
            if (after.Changed(before, member))
            {
                change.Take(Schema(after), member);
                if (!after.Has(member) && member is "SSESpecification" or "DeletionProtectionEnabled")
                {
                    change[member] = member == "SSESpecification" ? new JsonObject { ["Enabled"] = false } : JsonValue.Create(false);
                }
            }
        }
        if (change.Count > 1)
        {
            await Call(change).ConfigureAwait(false);
        }
        if (after.Changed(before, "StreamSpecification"))
        {
            // The kind of an existing stream cannot change: it ends and another begins.
            if (before.Has("StreamSpecification"))
            {
                await Call(new JsonObject { ["StreamSpecification"] = new JsonObject { ["StreamEnabled"] = false } }).ConfigureAwait(false);
            }
            if (after.Has("StreamSpecification"))
            {
                await Call(Schema(after).Pick("StreamSpecification")).ConfigureAwait(false);
            }
        }
        var old = before.Objects("GlobalSecondaryIndexes").ToDictionary(index => index.Required("IndexName"), StringComparer.Ordinal);
        var present = after.Objects("GlobalSecondaryIndexes").ToDictionary(index => index.Required("IndexName"), StringComparer.Ordinal);
        foreach (var gone in old.Keys.Except(present.Keys))
        {
            await Call(new JsonObject { ["GlobalSecondaryIndexUpdates"] = new JsonArray(new JsonObject { ["Delete"] = new JsonObject { ["IndexName"] = gone } }) }).ConfigureAwait(false);
        }
        foreach (var (indexName, index) in present)
        {
            if (!old.TryGetValue(indexName, out var was))
            {
                await Call(new JsonObject
                {
                    ["AttributeDefinitions"] = after["AttributeDefinitions"].Copy(),
                    ["GlobalSecondaryIndexUpdates"] = new JsonArray(new JsonObject { ["Create"] = index.Copy() }),
                }).ConfigureAwait(false);
            }
            else if (index.Changed(was, "KeySchema", "Projection"))
            {
                throw new ServiceFault("ValidationException", $"Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights Specification. You can create a new GSI with a different name. (index {indexName})");
            }
            else if (index.Changed(was, "ProvisionedThroughput") && index.Has("ProvisionedThroughput"))
            {
                await Call(new JsonObject { ["GlobalSecondaryIndexUpdates"] = new JsonArray(new JsonObject { ["Update"] = index.Pick("IndexName", "ProvisionedThroughput") }) }).ConfigureAwait(false);
            }
        }
        await SettingsAsync(service, context, name, before, after).ConfigureAwait(false);
        await RetagAsync(service, context, name, before, after).ConfigureAwait(false);
    }

    public static async Task RetagAsync(DynamoDbService service, ProvisionContext context, string name, JsonObject before, JsonObject after)
    {
        var arn = (await FindAsync(service, context, name).ConfigureAwait(false))?.Text("TableArn");
        var (put, removed) = ProviderExtensions.TagChange(context, before, after);
        if (removed.Count > 0)
        {
            await service.CallAsync(context, "UntagResource", new JsonObject { ["ResourceArn"] = arn, ["TagKeys"] = removed }).ConfigureAwait(false);
        }
        if (put.Count > 0)
        {
            await service.CallAsync(context, "TagResource", new JsonObject { ["ResourceArn"] = arn, ["Tags"] = put }).ConfigureAwait(false);
        }
    }

    public static async Task<JsonObject> PropertiesAsync(DynamoDbService service, ProvisionContext context, JsonObject table)
    {
        var name = table.Required("TableName");
        var properties = table.Pick("TableName", "KeySchema", "AttributeDefinitions", "DeletionProtectionEnabled");
        properties["BillingMode"] = table.Child("BillingModeSummary")?.Text("BillingMode") ?? "PROVISIONED";
        if (properties.Text("BillingMode") == "PROVISIONED")
        {
            properties["ProvisionedThroughput"] = table.Child("ProvisionedThroughput")?.Pick("ReadCapacityUnits", "WriteCapacityUnits");
        }
        foreach (var member in (string[])["GlobalSecondaryIndexes", "LocalSecondaryIndexes"])
        {
            if (table.Has(member))
            {
                properties[member] = table.Objects(member).Select(index =>
                {
                    var described = index.Pick("IndexName", "KeySchema", "Projection");
                    return properties.Text("BillingMode") == "PROVISIONED" && index.Child("ProvisionedThroughput") is { } throughput
                        ? described.With("ProvisionedThroughput", throughput.Pick("ReadCapacityUnits", "WriteCapacityUnits"))
                        : described;
                }).ToJsonList();
            }
        }
        if (table.Child("StreamSpecification") is { } stream)
        {
            properties["StreamSpecification"] = stream.Pick("StreamViewType");
        }
        if (table.Child("SSEDescription") is { } encryption)
        {
            properties["SSESpecification"] = new JsonObject { ["SSEEnabled"] = true, ["SSEType"] = encryption.Text("SSEType"), ["KMSMasterKeyId"] = encryption.Text("KMSMasterKeyArn") };
        }
        properties.With("TableClass", table.Child("TableClassSummary")?["TableClass"].Copy());
        var backups = await service.CallAsync(context, "DescribeContinuousBackups", new JsonObject { ["TableName"] = name }).ConfigureAwait(false);
        var recovery = backups.Child("ContinuousBackupsDescription")?.Child("PointInTimeRecoveryDescription");
        properties["PointInTimeRecoverySpecification"] = new JsonObject { ["PointInTimeRecoveryEnabled"] = recovery?.Text("PointInTimeRecoveryStatus") == "ENABLED" }
            .With("RecoveryPeriodInDays", recovery?["RecoveryPeriodInDays"].Copy());
        var expiry = (await service.CallAsync(context, "DescribeTimeToLive", new JsonObject { ["TableName"] = name }).ConfigureAwait(false)).Child("TimeToLiveDescription");
        if (expiry?.Text("TimeToLiveStatus") == "ENABLED")
        {
            properties["TimeToLiveSpecification"] = new JsonObject { ["AttributeName"] = expiry.Text("AttributeName"), ["Enabled"] = true };
        }
        var tags = await service.CallAsync(context, "ListTagsOfResource", new JsonObject { ["ResourceArn"] = table.Text("TableArn") }).ConfigureAwait(false);
        properties["Tags"] = Tags.OfTemplate(tags.Objects("Tags"));
        return properties;
    }
}
