using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Config;

/// <summary>A resource as Config sees it.</summary>
internal sealed record ConfigResource(string Type, string Id, string Name, string? Arn, JsonObject State, IReadOnlyDictionary<string, string> Tags);

/// <summary>The resources of an account and region, found by the services' own operations.</summary>
internal sealed class ConfigInventory(SandboxRuntime runtime, RequestContext context)
{
    private static readonly Dictionary<string, string> NoTags = [];

    public SandboxRuntime Runtime => runtime;

    public RequestContext Context => context;

    public async Task<IReadOnlyList<ConfigResource>> OfAsync(string type) => type switch
    {
        "AWS::S3::Bucket" => await BucketsAsync().ConfigureAwait(false),
        "AWS::EC2::SecurityGroup" => await ListAsync(type, "ec2", "DescribeSecurityGroups", "SecurityGroups", "GroupId", "GroupName").ConfigureAwait(false),
        "AWS::EC2::VPC" => await ListAsync(type, "ec2", "DescribeVpcs", "Vpcs", "VpcId").ConfigureAwait(false),
        "AWS::EC2::Subnet" => await ListAsync(type, "ec2", "DescribeSubnets", "Subnets", "SubnetId").ConfigureAwait(false),
        "AWS::EC2::Volume" => await ListAsync(type, "ec2", "DescribeVolumes", "Volumes", "VolumeId").ConfigureAwait(false),
        "AWS::EC2::Instance" => (await CallAsync("ec2", "DescribeInstances").ConfigureAwait(false))?.Objects("Reservations").SelectMany(item => item.Objects("Instances"))
            .Select(item => Resource(type, item, "InstanceId", "InstanceId", null)).ToList() ?? [],
        "AWS::RDS::DBInstance" => await ListAsync(type, "rds", "DescribeDBInstances", "DBInstances", "DbiResourceId", "DBInstanceIdentifier", "DBInstanceArn", "TagList").ConfigureAwait(false),
        "AWS::ElastiCache::ReplicationGroup" => await ListAsync(type, "elasticache", "DescribeReplicationGroups", "ReplicationGroups", "ReplicationGroupId", arn: "ARN").ConfigureAwait(false),
        "AWS::Lambda::Function" => await ListAsync(type, "lambda", "ListFunctions", "Functions", "FunctionName", arn: "FunctionArn").ConfigureAwait(false),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => await ListAsync(type, "elbv2", "DescribeLoadBalancers", "LoadBalancers", "LoadBalancerArn", "LoadBalancerName", "LoadBalancerArn", "_Tags").ConfigureAwait(false),
        "AWS::SecretsManager::Secret" => await ListAsync(type, "secretsmanager", "ListSecrets", "SecretList", "ARN", "Name", "ARN").ConfigureAwait(false),
        "AWS::Logs::LogGroup" => await ListAsync(type, "logs", "DescribeLogGroups", "logGroups", "logGroupName", arn: "logGroupArn", tags: "_Tags").ConfigureAwait(false),
        "AWS::CloudTrail::Trail" => await ListAsync(type, "cloudtrail", "DescribeTrails", "trailList", "TrailARN", "Name", "TrailARN", "_Tags").ConfigureAwait(false),
        "AWS::IAM::Role" => await ListAsync(type, "iam", "ListRoles", "Roles", "RoleId", "RoleName", "Arn").ConfigureAwait(false),
        "AWS::IAM::Policy" => await ListAsync(type, "iam", "ListPolicies", "Policies", "PolicyId", "PolicyName", "Arn", input: new JsonObject { ["Scope"] = "Local" }).ConfigureAwait(false),
        "AWS::DynamoDB::Table" => await EachAsync(type, "dynamodb", "ListTables", "TableNames", "DescribeTable", "TableName", "Table", "TableArn").ConfigureAwait(false),
        "AWS::EKS::Cluster" => await EachAsync(type, "eks", "ListClusters", "clusters", "DescribeCluster", "name", "cluster", "arn").ConfigureAwait(false),
        "AWS::KMS::Key" => await KeysAsync().ConfigureAwait(false),
        "AWS::ECS::Cluster" => (await CallAsync("ecs", "ListClusters").ConfigureAwait(false))?.Texts("clusterArns") is { Count: > 0 } arns
            ? (await CallAsync("ecs", "DescribeClusters", new JsonObject { ["clusters"] = arns.ToTextList(), ["include"] = new JsonArray("SETTINGS", "TAGS") }).ConfigureAwait(false))?.Objects("clusters")
                .Select(item => Resource(type, item, "clusterArn", "clusterName", "clusterArn", "tags")).ToList() ?? [] : [],
        "AWS::::Account" => [new ConfigResource(type, context.AccountId, context.AccountId, null, [], NoTags)],
        _ => [],
    };

    /// <summary>Calls an operation; null where the sandbox does not have it.</summary>
    public async Task<JsonObject?> CallAsync(string service, string operation, JsonObject? input = null)
    {
        if (runtime.Service(service) is not { } found || !found.Implements(operation))
        {
            return null;
        }
        return await found.InvokeAsync(context, operation, input ?? []).ConfigureAwait(false);
    }

    /// <summary>Calls an operation that asks for a setting; null where it is not set.</summary>
    public async Task<JsonObject?> SettingAsync(string service, string operation, JsonObject input)
    {
        try
        {
            return await CallAsync(service, operation, input).ConfigureAwait(false);
        }
        catch (ServiceFault fault) when (fault.Status is 400 or 404)
        {
            return null;
        }
    }

    private async Task<IReadOnlyList<ConfigResource>> ListAsync(string type, string service, string operation, string member, string id, string? name = null, string? arn = null, string tags = "Tags", JsonObject? input = null)
    {
        var found = new List<ConfigResource>();
        string? token = null;
        do
        {
            var request = input?.Copy() ?? [];
            var page = await CallAsync(service, operation, token is null ? request : request.With(service is "rds" or "elasticache" or "elbv2" or "iam" or "lambda" ? "Marker" : service == "logs" ? "nextToken" : "NextToken", token)).ConfigureAwait(false);
            if (page is null)
            {
                break;
            }
            found.AddRange(page.Objects(member).Select(item => Resource(type, item, id, name ?? id, arn, tags)));
            token = page.Text("NextToken") ?? page.Text("nextToken") ?? page.Text("NextMarker") ?? page.Text("Marker");
        }
        while (token is { Length: > 0 });
        return found;
    }

    private async Task<IReadOnlyList<ConfigResource>> EachAsync(string type, string service, string list, string names, string describe, string name, string member, string arn)
    {
        var found = new List<ConfigResource>();
        foreach (var item in (await CallAsync(service, list).ConfigureAwait(false))?.Texts(names) ?? [])
        {
            if ((await SettingAsync(service, describe, new JsonObject { [name] = item }).ConfigureAwait(false))?.Child(member) is { } state)
            {
                found.Add(new ConfigResource(type, item, item, state.Text(arn), state.Copy(), TagsOf(state, "_Tags")));
            }
        }
        return found;
    }

    private async Task<IReadOnlyList<ConfigResource>> BucketsAsync()
    {
        var found = new List<ConfigResource>();
        foreach (var bucket in (await CallAsync("s3", "ListBuckets").ConfigureAwait(false))?.Objects("Buckets") ?? [])
        {
            var name = bucket.Required("Name");
            var here = new JsonObject { ["Bucket"] = name };
            var location = (await SettingAsync("s3", "GetBucketLocation", here.Copy()).ConfigureAwait(false))?.Text("LocationConstraint") is { Length: > 0 } region ? region : "us-east-1";
            if (location != context.Region)
            {
                continue;
            }
            var tags = (await SettingAsync("s3", "GetBucketTagging", here.Copy()).ConfigureAwait(false))?.Objects("TagSet") ?? [];
            found.Add(new ConfigResource("AWS::S3::Bucket", name, name, $"arn:{context.Partition}:s3:::{name}", bucket.Copy(), Map(tags)));
        }
        return found;
    }

    private async Task<IReadOnlyList<ConfigResource>> KeysAsync()
    {
        var found = new List<ConfigResource>();
        foreach (var key in (await CallAsync("kms", "ListKeys").ConfigureAwait(false))?.Objects("Keys") ?? [])
        {
            var id = key.Required("KeyId");
            var state = (await CallAsync("kms", "DescribeKey", new JsonObject { ["KeyId"] = id }).ConfigureAwait(false))!.Child("KeyMetadata")!;
            if (state.Text("KeyManager") == "CUSTOMER" && state.Text("KeyState") == "Enabled")
            {
                found.Add(new ConfigResource("AWS::KMS::Key", id, id, state.Text("Arn"), state.Copy(), NoTags));
            }
        }
        return found;
    }

    private static ConfigResource Resource(string type, JsonObject item, string id, string name, string? arn, string tags = "Tags") =>
        new(type, item.Text(id) ?? item.Required(name), item.Text(name) ?? "", arn is null ? null : item.Text(arn), item.Copy(), TagsOf(item, tags));

    private static Dictionary<string, string> TagsOf(JsonObject item, string member) => item[member] is JsonObject map ? map.ToDictionary(pair => pair.Key, pair => Documents.AsText(pair.Value) ?? "", StringComparer.Ordinal) : Map(item.Objects(member));

    private static Dictionary<string, string> Map(IEnumerable<JsonObject> tags) =>
        tags.GroupBy(tag => tag.Text("Key") ?? tag.Text("key") ?? "", StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First().Text("Value") ?? group.First().Text("value") ?? "", StringComparer.Ordinal);
}
