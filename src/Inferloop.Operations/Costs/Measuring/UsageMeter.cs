using Amazon.CloudWatch;
using Inferloop.Operations.Environments;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Measuring;

/// <summary>Measures how a deployed environment is used, from the metrics that AWS's services publish by themselves.</summary>
internal sealed class UsageMeter(IAmazonCloudWatch cloudWatch)
{
    private const decimal BytesPerGb = 1024m * 1024m * 1024m;
    private const decimal HoursPerMonth = 730m;
    private static readonly TimeSpan s_least = TimeSpan.FromMinutes(10);

    // What is a level and not a flow: it does not grow with the time that is looked at.
    private static readonly string[] s_storageClasses = ["StandardStorage", "IntelligentTieringFAStorage", "IntelligentTieringIAStorage", "StandardIAStorage", "OneZoneIAStorage", "GlacierInstantRetrievalStorage", "GlacierStorage", "DeepArchiveStorage"];

    /// <summary>Measures over the days before now, or since the environment was created.</summary>
    public async Task<MeasuredUse> MeasureAsync(
        IReadOnlyList<DeployedResource> resources, EvaluatedStack? stack, DateTimeOffset created, DateTimeOffset now, int days, CancellationToken cancellation)
    {
        var start = now.AddDays(-days) > created ? now.AddDays(-days) : created;
        if (now - start < s_least)
        {
            throw new OperationException(
                "MeasuredTimeTooShort", OperationErrorKind.InvalidState, "The environment is only just there: nothing can be said of its use yet.", "Repeat the command later, or estimate with -Usage.", null);
        }

        var there = resources.Where(r => r.PhysicalId.Length > 0 && !r.Status.StartsWith("DELETE", StringComparison.Ordinal)).ToList();
        var roles = stack is null ? new Dictionary<string, string>() : LogRoles.Of(stack);
        var questions = there.SelectMany(Questions).ToList();
        var readings = await new MetricReader(cloudWatch).ReadAsync(questions, start, now, cancellation).ConfigureAwait(false);

        // Days begin at midnight; the first one is asked for as a whole.
        var hours = (decimal)(now - (start.UtcDateTime.Date > created.UtcDateTime ? new DateTimeOffset(start.UtcDateTime.Date, TimeSpan.Zero) : created)).TotalHours;
        return new MeasuredUse { Start = now.AddHours(-(double)hours), End = now, Readings = readings, Amounts = [.. Amounts(there, roles, readings, HoursPerMonth / hours)] };
    }

    /// <summary>The questions about a resource: what the profile needs, and what tells whether it is too large or idle.</summary>
    internal static IEnumerable<MetricQuestion> Questions(DeployedResource r)
    {
        MetricQuestion Ask(string space, string name, Reading reading, params (string, string)[] dimensions) => new(r.Path, space, name, reading, dimensions);
        IEnumerable<MetricQuestion> Sums(string space, (string, string) dimension, params string[] names) => names.Select(n => Ask(space, n, Reading.Sum, dimension));
        var last = r.PhysicalId[(r.PhysicalId.LastIndexOfAny(['/', ':']) + 1)..];
        return r.Type switch
        {
            "AWS::ElasticLoadBalancingV2::LoadBalancer" => Sums("AWS/ApplicationELB", ("LoadBalancer", r.PhysicalId[(r.PhysicalId.IndexOf("loadbalancer/", StringComparison.Ordinal) + "loadbalancer/".Length)..]), "ProcessedBytes", "NewConnectionCount", "RequestCount"),
            "AWS::EC2::NatGateway" => Sums("AWS/NATGateway", ("NatGatewayId", r.PhysicalId), "BytesInFromSource", "BytesInFromDestination", "BytesOutToDestination"),
            "AWS::DynamoDB::Table" or "AWS::DynamoDB::GlobalTable" => Sums("AWS/DynamoDB", ("TableName", r.PhysicalId), "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"),
            "AWS::Logs::LogGroup" => Sums("AWS/Logs", ("LogGroupName", r.PhysicalId), "IncomingBytes"),
            "AWS::Lambda::Function" => [.. Sums("AWS/Lambda", ("FunctionName", r.PhysicalId), "Invocations", "Duration"), Ask("AWS/Lambda", "Duration", Reading.Average, ("FunctionName", r.PhysicalId))],
            "AWS::ApiGatewayV2::Api" => Sums("AWS/ApiGateway", ("ApiId", r.PhysicalId), "Count"),
            "AWS::SQS::Queue" => Sums("AWS/SQS", ("QueueName", last), "NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted", "NumberOfEmptyReceives"),
            "AWS::SNS::Topic" => Sums("AWS/SNS", ("TopicName", last), "NumberOfMessagesPublished"),
            "AWS::CodeBuild::Project" => Sums("AWS/CodeBuild", ("ProjectName", r.PhysicalId), "Duration"),
            "AWS::EC2::VPNConnection" => Sums("AWS/VPN", ("VpnId", r.PhysicalId), "TunnelDataOut"),
            "AWS::S3::Bucket" =>
            [
                .. s_storageClasses.Select(c => new MetricQuestion(r.Path + "#" + c, "AWS/S3", "BucketSizeBytes", Reading.Average, ("BucketName", r.PhysicalId), ("StorageType", c))),
                .. new[] { "PutRequests", "PostRequests", "ListRequests", "GetRequests", "HeadRequests" }.Select(n => Ask("AWS/S3", n, Reading.Sum, ("BucketName", r.PhysicalId), ("FilterId", "EntireBucket"))),
            ],
            "AWS::ECS::Service" when r.PhysicalId.Split('/') is [.., var cluster, var service] =>
            [
                .. new[] { "CPUUtilization", "MemoryUtilization" }.SelectMany(n => new[] { Reading.Average, Reading.Maximum }.Select(
                    reading => Ask("AWS/ECS", n, reading, ("ClusterName", cluster), ("ServiceName", service)))),
            ],
            "AWS::RDS::DBInstance" =>
            [
                .. new[] { ("CPUUtilization", Reading.Average), ("CPUUtilization", Reading.Maximum), ("DatabaseConnections", Reading.Maximum), ("FreeableMemory", Reading.Minimum), ("FreeStorageSpace", Reading.Minimum) }
                    .Select(m => Ask("AWS/RDS", m.Item1, m.Item2, ("DBInstanceIdentifier", r.PhysicalId))),
            ],
            // A node carries its group's name and a number; the first is there in every group.
            "AWS::ElastiCache::ReplicationGroup" =>
            [
                .. new[] { ("CPUUtilization", Reading.Average), ("CPUUtilization", Reading.Maximum), ("DatabaseMemoryUsagePercentage", Reading.Maximum), ("CurrConnections", Reading.Maximum), ("GetTypeCmds", Reading.Sum), ("SetTypeCmds", Reading.Sum) }
                    .Select(m => Ask("AWS/ElastiCache", m.Item1, m.Item2, ("CacheClusterId", r.PhysicalId + "-001"))),
            ],
            _ => [],
        };
    }

    private static IEnumerable<MeasuredAmount> Amounts(IReadOnlyList<DeployedResource> resources, Dictionary<string, string> roles, IReadOnlyDictionary<string, double> readings, decimal toMonth)
    {
        (decimal Total, bool Any) Total(string type, string[] metrics, Reading reading = Reading.Sum, Func<DeployedResource, bool>? only = null)
        {
            var found = resources.Where(r => r.Type == type || (type == "AWS::DynamoDB::Table" && r.Type == "AWS::DynamoDB::GlobalTable")).Where(r => only?.Invoke(r) != false)
                .SelectMany(r => metrics.Select(m => readings.TryGetValue($"{r.Path} {m} {reading}", out var value) ? value : (double?)null)).OfType<double>().ToList();
            return ((decimal)found.Sum(), found.Count > 0);
        }

        IEnumerable<MeasuredAmount> Flow(string name, string type, string space, string[] metrics, decimal perUnit = 1, Func<DeployedResource, bool>? only = null)
        {
            var (total, any) = Total(type, metrics, only: only);
            return any ? [new MeasuredAmount(name, total / perUnit * toMonth, $"{space} {string.Join(" + ", metrics)}")] : [];
        }

        const string Balancer = "AWS::ElasticLoadBalancingV2::LoadBalancer", Function = "AWS::Lambda::Function", Bucket = "AWS::S3::Bucket", Group = "AWS::Logs::LogGroup", Nat = "AWS::EC2::NatGateway", Table = "AWS::DynamoDB::Table";
        var (stored, anyStored) = (0m, false);
        foreach (var bucket in resources.Where(r => r.Type == Bucket && !roles.ContainsKey(r.Path)))
        {
            foreach (var bytes in s_storageClasses.Where(c => readings.ContainsKey($"{bucket.Path}#{c} BucketSizeBytes Average")).Select(c => readings[$"{bucket.Path}#{c} BucketSizeBytes Average"]))
            {
                (stored, anyStored) = (stored + ((decimal)bytes / BytesPerGb), true);
            }
        }

        var (calls, _) = Total(Function, ["Invocations"]);
        var (milliseconds, anyCalls) = Total(Function, ["Duration"]);
        return
        [
            .. Flow(nameof(UsageProfile.LoadBalancerGb), Balancer, "AWS/ApplicationELB", ["ProcessedBytes"], BytesPerGb),
            .. Flow(nameof(UsageProfile.LoadBalancerConnections), Balancer, "AWS/ApplicationELB", ["NewConnectionCount"]),
            .. Flow(nameof(UsageProfile.NatProcessedGb), Nat, "AWS/NATGateway", ["BytesInFromSource", "BytesInFromDestination"], BytesPerGb),
            .. Flow(nameof(UsageProfile.NatInternetOutGb), Nat, "AWS/NATGateway", ["BytesOutToDestination"], BytesPerGb),
            .. Flow(nameof(UsageProfile.TableReadUnits), Table, "AWS/DynamoDB", ["ConsumedReadCapacityUnits"]),
            .. Flow(nameof(UsageProfile.TableWriteUnits), Table, "AWS/DynamoDB", ["ConsumedWriteCapacityUnits"]),
            .. Flow(nameof(UsageProfile.ApplicationLogGb), Group, "AWS/Logs", ["IncomingBytes"], BytesPerGb, r => roles.GetValueOrDefault(r.Path) == LogRoles.Application),
            .. Flow(nameof(UsageProfile.ServiceLogGb), Group, "AWS/Logs", ["IncomingBytes"], BytesPerGb, r => roles.GetValueOrDefault(r.Path) == LogRoles.Service),
            .. Flow(nameof(UsageProfile.FlowLogGb), Group, "AWS/Logs", ["IncomingBytes"], BytesPerGb, r => roles.GetValueOrDefault(r.Path) == LogRoles.Flow),
            .. anyStored ? [new MeasuredAmount(nameof(UsageProfile.StoredGb), stored, "AWS/S3 BucketSizeBytes")] : Array.Empty<MeasuredAmount>(),
            .. Flow(nameof(UsageProfile.StoragePutRequests), Bucket, "AWS/S3", ["PutRequests", "PostRequests", "ListRequests"]),
            .. Flow(nameof(UsageProfile.StorageGetRequests), Bucket, "AWS/S3", ["GetRequests", "HeadRequests"]),
            .. Flow(nameof(UsageProfile.LambdaInvocations), Function, "AWS/Lambda", ["Invocations"]),
            .. anyCalls && calls > 0 ? [new MeasuredAmount(nameof(UsageProfile.LambdaMilliseconds), milliseconds / calls, "AWS/Lambda Duration")] : Array.Empty<MeasuredAmount>(),
            .. Flow(nameof(UsageProfile.ApiRequests), "AWS::ApiGatewayV2::Api", "AWS/ApiGateway", ["Count"]),
            .. Flow(nameof(UsageProfile.QueueRequests), "AWS::SQS::Queue", "AWS/SQS", ["NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted", "NumberOfEmptyReceives"]),
            .. Flow(nameof(UsageProfile.TopicRequests), "AWS::SNS::Topic", "AWS/SNS", ["NumberOfMessagesPublished"]),
            .. Flow(nameof(UsageProfile.BuildMinutes), "AWS::CodeBuild::Project", "AWS/CodeBuild", ["Duration"], 60),
            .. Flow(nameof(UsageProfile.VpnOutGb), "AWS::EC2::VPNConnection", "AWS/VPN", ["TunnelDataOut"], BytesPerGb),
        ];
    }
}
