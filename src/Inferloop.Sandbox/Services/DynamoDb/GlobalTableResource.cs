using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>AWS::DynamoDB::GlobalTable: the stack's own region is one of the replicas; the others are added one after the other.</summary>
internal static class GlobalTableResource
{
    private static readonly string[] PerReplica = ["PointInTimeRecoverySpecification", "DeletionProtectionEnabled", "TableClass", "ContributorInsightsSpecification", "ResourcePolicy", "Tags"];

    public static ResourceProvider Provider(DynamoDbService service) => new Provider("AWS::DynamoDB::GlobalTable")
    {
        Service = "DynamoDb",
        Busy = ["ResourceInUseException"],
        Create = async (context, properties) =>
        {
            var home = Home(context, properties);
            var name = context.NameOf(properties, "TableName");
            await DynamoDbResources.CreateAsync(service, context, name, home).ConfigureAwait(false);
            await ScaleAsync(context, name, properties, context.Request.Region).ConfigureAwait(false);
            foreach (var region in Others(context, properties))
            {
                await AddAsync(service, context, name, properties, region).ConfigureAwait(false);
            }
            return name;
        },
        Update = async (context, name, before, after) =>
        {
            // What goes makes room for what comes, and a setting that members share is changed once for all of them.
            foreach (var region in Others(context, before).Except(Others(context, after)))
            {
                await RemoveAsync(service, context, name, region).ConfigureAwait(false);
            }
            await DynamoDbResources.UpdateAsync(service, context, name, Home(context, before), Home(context, after)).ConfigureAwait(false);
            await ScaleAsync(context, name, after, context.Request.Region).ConfigureAwait(false);
            foreach (var region in Others(context, after))
            {
                if (!Others(context, before).Contains(region))
                {
                    await AddAsync(service, context, name, after, region).ConfigureAwait(false);
                    continue;
                }
                var there = In(context, region);
                await SettleAsync(service, there, name, Picked(Replica(before, region)!), Picked(Replica(after, region)!)).ConfigureAwait(false);
                await ScaleAsync(there, name, after, region).ConfigureAwait(false);
            }
        },
        Delete = async (context, name, properties) =>
        {
            foreach (var region in (await RegionsAsync(service, context, name).ConfigureAwait(false)).Where(region => region != context.Request.Region))
            {
                await RemoveAsync(service, context, name, region).ConfigureAwait(false);
            }
            await service.CallAsync(context, "DeleteTable", new JsonObject { ["TableName"] = name }).ConfigureAwait(false);
            await context.WaitUntilAsync(async () => await DynamoDbResources.FindAsync(service, context, name).ConfigureAwait(false) is null).ConfigureAwait(false);
        },
        Read = async (context, name) =>
        {
            if (await DynamoDbResources.FindAsync(service, context, name).ConfigureAwait(false) is not { } table)
            {
                return null;
            }
            var home = await DynamoDbResources.PropertiesAsync(service, context, table).ConfigureAwait(false);
            var properties = home.Pick("TableName", "KeySchema", "AttributeDefinitions", "BillingMode", "LocalSecondaryIndexes", "StreamSpecification", "TimeToLiveSpecification");
            if (home.Has("GlobalSecondaryIndexes"))
            {
                properties["GlobalSecondaryIndexes"] = home.Objects("GlobalSecondaryIndexes").Select(index => index.Pick("IndexName", "KeySchema", "Projection")).ToJsonList();
            }
            properties.With("SSESpecification", home.Child("SSESpecification")?.Pick("SSEEnabled", "SSEType"));
            var replicas = new List<JsonObject>();
            foreach (var region in await RegionsAsync(service, context, name).ConfigureAwait(false))
            {
                var there = In(context, region);
                if (await DynamoDbResources.FindAsync(service, there, name).ConfigureAwait(false) is { } found)
                {
                    var described = await DynamoDbResources.PropertiesAsync(service, there, found).ConfigureAwait(false);
                    replicas.Add(described.Pick("PointInTimeRecoverySpecification", "DeletionProtectionEnabled", "TableClass", "Tags").With("Region", region));
                }
            }
            properties["Replicas"] = replicas.ToJsonList();
            return properties;
        },
        Attributes = async (context, name) => await DynamoDbResources.FindAsync(service, context, name).ConfigureAwait(false) is { } table
            ? ProviderExtensions.Attributes(("Arn", table["TableArn"]), ("TableId", table["TableId"]), ("StreamArn", table["LatestStreamArn"]))
            : ProvisionedResource.NoAttributes,
    };

    private static JsonObject? Replica(JsonObject properties, string region) => properties.Objects("Replicas").FirstOrDefault(replica => replica.Text("Region") == region);

    private static List<string> Others(ProvisionContext context, JsonObject properties) =>
        properties.Objects("Replicas").Select(replica => replica.Required("Region")).Where(region => region != context.Request.Region).ToList();

    private static JsonObject Picked(JsonObject replica) => replica.Pick(PerReplica);

    private static async Task<List<string>> RegionsAsync(DynamoDbService service, ProvisionContext context, string name) =>
        await DynamoDbResources.FindAsync(service, context, name).ConfigureAwait(false) is { } table
            ? [context.Request.Region, .. table.Objects("Replicas").Select(replica => replica.Required("RegionName"))]
            : [];

    /// <summary>The table of the stack's own region, in the words of AWS::DynamoDB::Table.</summary>
    private static JsonObject Home(ProvisionContext context, JsonObject properties)
    {
        var region = context.Request.Region;
        var replica = Replica(properties, region)
            ?? throw new ServiceFault("ValidationException", $"Replicas must include the region in which the stack is created: {region}");
        var home = properties.Pick("TableName", "KeySchema", "AttributeDefinitions", "LocalSecondaryIndexes", "StreamSpecification", "TimeToLiveSpecification");
        home.Take(replica, PerReplica);
        home["BillingMode"] = properties.Text("BillingMode") ?? "PROVISIONED";
        if (properties.Child("SSESpecification") is { } encryption)
        {
            home["SSESpecification"] = encryption.Pick("SSEEnabled", "SSEType").With("KMSMasterKeyId", replica.Child("SSESpecification")?["KMSMasterKeyId"].Copy());
        }
        var isProvisioned = home.Text("BillingMode") == "PROVISIONED";
        if (isProvisioned)
        {
            home["ProvisionedThroughput"] = Throughput(properties, replica);
        }
        if (properties.Has("GlobalSecondaryIndexes"))
        {
            home["GlobalSecondaryIndexes"] = properties.Objects("GlobalSecondaryIndexes").Select(index =>
            {
                var kept = index.Pick("IndexName", "KeySchema", "Projection");
                return isProvisioned ? kept.With("ProvisionedThroughput", Throughput(index, IndexOf(replica, index.Required("IndexName")))) : kept;
            }).ToJsonList();
        }
        return home;
    }

    private static JsonObject? IndexOf(JsonObject replica, string name) => replica.Objects("GlobalSecondaryIndexes").FirstOrDefault(index => index.Text("IndexName") == name);

    /// <summary>What a table or index begins with: what is set, or where automatic scaling begins.</summary>
    private static JsonObject Throughput(JsonObject writes, JsonObject? reads)
    {
        static long Start(JsonObject? settings, string kind) => settings?.Long(kind + "CapacityUnits")
            ?? settings?.Child(kind + "CapacityAutoScalingSettings") switch { { } scaling => scaling.Long("SeedCapacity") ?? scaling.Long("MinCapacity") ?? 5, null => 5 };
        return new JsonObject
        {
            ["ReadCapacityUnits"] = Start(reads?.Child("ReadProvisionedThroughputSettings"), "Read"),
            ["WriteCapacityUnits"] = Start(writes.Child("WriteProvisionedThroughputSettings"), "Write"),
        };
    }

    private static ProvisionContext In(ProvisionContext context, string region) => new()
    {
        Request = context.Request.InRegion(region),
        StackName = context.StackName,
        StackId = context.StackId,
        LogicalId = context.LogicalId,
        ClientToken = context.ClientToken,
        StackTags = context.StackTags,
    };

    private static async Task AddAsync(DynamoDbService service, ProvisionContext context, string name, JsonObject properties, string region)
    {
        var replica = Replica(properties, region)!;
        var create = new JsonObject { ["RegionName"] = region }.With("KMSMasterKeyId", replica.Child("SSESpecification")?["KMSMasterKeyId"].Copy());
        if ((properties.Text("BillingMode") ?? "PROVISIONED") == "PROVISIONED")
        {
            create["ProvisionedThroughputOverride"] = Throughput(properties, replica).Pick("ReadCapacityUnits");
        }
        await service.CallAsync(context, "UpdateTable", new JsonObject { ["TableName"] = name, ["ReplicaUpdates"] = new JsonArray(new JsonObject { ["Create"] = create }) }).ConfigureAwait(false);
        var there = In(context, region);
        await DynamoDbResources.ActiveAsync(service, there, name).ConfigureAwait(false);
        await DynamoDbResources.ActiveAsync(service, context, name).ConfigureAwait(false);
        await SettleAsync(service, there, name, [], Picked(replica)).ConfigureAwait(false);
        await ScaleAsync(there, name, properties, region).ConfigureAwait(false);
    }

    /// <summary>What a replica has of its own: recovery, protection, class, insights, tags. The expiry of items is shared.</summary>
    private static async Task SettleAsync(DynamoDbService service, ProvisionContext there, string name, JsonObject before, JsonObject after)
    {
        await DynamoDbResources.SettingsAsync(service, there, name, before, after).ConfigureAwait(false);
        if (after.Changed(before, "DeletionProtectionEnabled", "TableClass"))
        {
            await service.CallMappedAsync(there, "UpdateTable", after.Pick("TableClass").With("TableName", name).With("DeletionProtectionEnabled", after.Is("DeletionProtectionEnabled"))).ConfigureAwait(false);
            await DynamoDbResources.ActiveAsync(service, there, name).ConfigureAwait(false);
        }
        await DynamoDbResources.RetagAsync(service, there, name, before, after).ConfigureAwait(false);
    }

    private static async Task RemoveAsync(DynamoDbService service, ProvisionContext context, string name, string region)
    {
        await service.CallAsync(context, "UpdateTable", new JsonObject
        {
            ["TableName"] = name, ["ReplicaUpdates"] = new JsonArray(new JsonObject { ["Delete"] = new JsonObject { ["RegionName"] = region } }),
        }).ConfigureAwait(false);
        await context.WaitUntilAsync(async () => await DynamoDbResources.FindAsync(service, In(context, region), name).ConfigureAwait(false) is null).ConfigureAwait(false);
        await DynamoDbResources.ActiveAsync(service, context, name).ConfigureAwait(false);
    }

    /// <summary>Registers the scaling of a region's table and indexes, as CloudFormation does for this type.</summary>
    private static async Task ScaleAsync(ProvisionContext context, string name, JsonObject properties, string region)
    {
        if ((properties.Text("BillingMode") ?? "PROVISIONED") != "PROVISIONED" || Replica(properties, region) is not { } replica)
        {
            return;
        }
        await ScaleAsync(context, $"table/{name}", "table", properties, replica).ConfigureAwait(false);
        foreach (var index in properties.Objects("GlobalSecondaryIndexes"))
        {
            var indexName = index.Required("IndexName");
            await ScaleAsync(context, $"table/{name}/index/{indexName}", "index", index, IndexOf(replica, indexName) ?? []).ConfigureAwait(false);
        }
    }

    private static async Task ScaleAsync(ProvisionContext context, string resource, string kind, JsonObject writes, JsonObject reads)
    {
        var scaling = context.Runtime.Service("application-autoscaling")!;
        foreach (var (what, settings) in new[] { ("Read", reads), ("Write", writes) })
        {
            if (settings.Child(what + "ProvisionedThroughputSettings")?.Child(what + "CapacityAutoScalingSettings") is not { } asked)
            {
                continue;
            }
            var target = new JsonObject { ["ServiceNamespace"] = "dynamodb", ["ResourceId"] = resource, ["ScalableDimension"] = $"dynamodb:{kind}:{what}CapacityUnits" };
            await scaling.CallAsync(context, "RegisterScalableTarget", target.Copy().With("MinCapacity", asked["MinCapacity"].Copy()).With("MaxCapacity", asked["MaxCapacity"].Copy())).ConfigureAwait(false);
            if (asked.Child("TargetTrackingScalingPolicyConfiguration") is { } tracking)
            {
                var policy = tracking.Copy();
                policy["PredefinedMetricSpecification"] = new JsonObject { ["PredefinedMetricType"] = $"DynamoDB{what}CapacityUtilization" };
                await scaling.CallMappedAsync(context, "PutScalingPolicy", target.With("PolicyName", $"DynamoDB{what}CapacityUtilization:{resource}").With("PolicyType", "TargetTrackingScaling")
                    .With("TargetTrackingScalingPolicyConfiguration", policy)).ConfigureAwait(false);
            }
        }
    }
}
