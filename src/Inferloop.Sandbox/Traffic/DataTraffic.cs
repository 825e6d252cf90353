using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;
using Inferloop.Sandbox.Services.CloudWatch;
using Inferloop.Sandbox.Services.Rds;

namespace Inferloop.Sandbox.Traffic;

/// <summary>
/// What databases, caches, tables, functions and NAT gateways tell of the requests that reach the services in front of them. Databases, caches
/// and gateways follow the load balancers of their VPC; tables and functions, which have none, those of their environment (by its tag), or all.
/// </summary>
internal sealed class DataTraffic(SandboxRuntime runtime, CloudWatchService monitoring, TrafficBill bill)
{
    // What a request asks of each, stated here once.
    private const double DatabaseCpuSeconds = 0.002;
    private const double DatabaseReads = 0.5;
    private const double DatabaseWrites = 0.2;
    private const double ConnectionsPerTask = 5;
    private const double CacheHits = 0.9;
    private const double CacheMisses = 0.1;
    private const double CacheCpuSeconds = 0.00005;
    private const double ReadUnits = 1;
    private const double WriteUnits = 0.5;
    private const double NatBytes = 2_000;

    public void Publish(RequestContext context, DateTimeOffset time, IReadOnlyList<ServedTraffic> served, int tasks)
    {
        double InVpc(string? vpc) => served.Where(traffic => traffic.Vpc == vpc).Sum(traffic => traffic.RequestsPerSecond);
        Databases(context, time, InVpc, tasks);
        Caches(context, time, InVpc, tasks);
        Gateways(context, time, InVpc);
        Tables(context, time, served);
        Functions(context, time, served);
    }

    private void Databases(RequestContext context, DateTimeOffset time, Func<string?, double> inVpc, int tasks)
    {
        foreach (var instance in runtime.Collection("rds", "instances", context).Where(item => item.Text("DBInstanceStatus") is "available" or "storage-optimization" or "backing-up" or "modifying"))
        {
            if (runtime.Faults.IsZoneLost(instance.Text("AvailabilityZone") ?? ""))
            {
                // Cut off, it tells nothing.
                continue;
            }
            var rate = inVpc(instance.Child("DBSubnetGroup")?.Text("VpcId"));
            var size = InstanceClasses.Find(instance.Text("DBInstanceClass") ?? "");
            var storage = (instance.Double("AllocatedStorage") ?? 20) * (1L << 30);
            (string, string) dimension = ("DBInstanceIdentifier", instance.Required("DBInstanceIdentifier"));
            void Tell(string metric, double value, string unit) => monitoring.Publish(context, "AWS/RDS", metric, time, [(value, 1)], unit, dimension);
            Tell("CPUUtilization", Math.Min(100, 2 + (100 * rate * DatabaseCpuSeconds / (size?.Cpus ?? 2))), "Percent");
            Tell("DatabaseConnections", rate > 0 ? tasks * ConnectionsPerTask : 0, "Count");
            Tell("FreeStorageSpace", storage * 0.7, "Bytes");
            Tell("FreeableMemory", (size?.MemoryGib ?? 1) * (1L << 30) * 0.4, "Bytes");
            Tell("ReadIOPS", rate * DatabaseReads, "Count/Second");
            Tell("WriteIOPS", rate * DatabaseWrites, "Count/Second");
            Tell("ReadLatency", 0.0007, "Seconds");
            Tell("WriteLatency", 0.0012, "Seconds");
            Tell("DiskQueueDepth", rate * (DatabaseReads + DatabaseWrites) * 0.001, "Count");
        }
    }

    private void Caches(RequestContext context, DateTimeOffset time, Func<string?, double> inVpc, int tasks)
    {
        var subnets = runtime.Collection("elasticache", "subnet-groups", context);
        foreach (var group in runtime.Collection("elasticache", "replication-groups", context).Where(item => item.Text("Status") is "available" or "modifying" or "snapshotting"))
        {
            var rate = inVpc(subnets.Get(group.Text("_SubnetGroup") ?? "")?.Text("VpcId"));
            var shards = Math.Max(1, group.Objects("NodeGroups").Count());
            foreach (var node in group.Objects("NodeGroups").SelectMany(shard => shard.Objects("NodeGroupMembers")).Where(node => !runtime.Faults.IsZoneLost(node.Text("PreferredAvailabilityZone") ?? "")))
            {
                var part = node.Text("CurrentRole") == "primary" || node["CurrentRole"] is null ? rate / shards : 0;
                (string, string) dimension = ("CacheClusterId", node.Required("CacheClusterId"));
                void Tell(string metric, double value, string unit)
                {
                    monitoring.Publish(context, "AWS/ElastiCache", metric, time, [(value, 1)], unit, dimension);
                    monitoring.Publish(context, "AWS/ElastiCache", metric, time, [(value, 1)], unit, dimension, ("CacheNodeId", node.Text("CacheNodeId") ?? "0001"));
                }

                var cpu = Math.Min(100, 1 + (100 * part * CacheCpuSeconds));
                Tell("EngineCPUUtilization", cpu, "Percent");
                Tell("CPUUtilization", cpu / 2, "Percent");
                Tell("DatabaseMemoryUsagePercentage", Math.Min(70, 10 + (rate / shards * 0.02)), "Percent");
                Tell("CurrConnections", tasks, "Count");
                Tell("CacheHits", part * 60 * CacheHits, "Count");
                Tell("CacheMisses", part * 60 * CacheMisses, "Count");
                Tell("Evictions", 0, "Count");
            }
        }
    }

    private void Gateways(RequestContext context, DateTimeOffset time, Func<string?, double> inVpc)
    {
        foreach (var vpc in runtime.Collection("ec2", "nat-gateways", context).Where(item => item.Text("State") == "available" && !runtime.Faults.IsZoneLost(item.Text("_Zone") ?? "")).GroupBy(item => item.Text("VpcId")))
        {
            var each = inVpc(vpc.Key) * 60 / vpc.Count();
            foreach (var gateway in vpc)
            {
                (string, string) dimension = ("NatGatewayId", gateway.Required("NatGatewayId"));
                bill.Add(context, TrafficEngine.EnvironmentOf(gateway.Objects("Tags")), "EC2 - Other", "AmazonEC2", "NatGateway-Bytes", each * NatBytes * 3 / 1e9);
                monitoring.Publish(context, "AWS/NATGateway", "BytesOutToDestination", time, [(each * NatBytes, 1)], "Bytes", dimension);
                monitoring.Publish(context, "AWS/NATGateway", "BytesInFromDestination", time, [(each * NatBytes * 2, 1)], "Bytes", dimension);
                monitoring.Publish(context, "AWS/NATGateway", "ActiveConnectionCount", time, [(Math.Ceiling(each / 600), 1)], "Count", dimension);
                monitoring.Publish(context, "AWS/NATGateway", "ErrorPortAllocation", time, [(0, 1)], "Count", dimension);
            }
        }
    }

    private void Tables(RequestContext context, DateTimeOffset time, IReadOnlyList<ServedTraffic> served)
    {
        var tables = runtime.Collection("dynamodb", "tables", context).Where(item => item.Text("TableStatus") == "ACTIVE")
            .GroupBy(table => TrafficEngine.EnvironmentOf(table.Objects("_Tags")));
        foreach (var environment in tables)
        {
            var rate = RateOf(served, environment.Key) * 60 / environment.Count();
            foreach (var table in environment)
            {
                Consume(table, "Read", rate * ReadUnits);
                Consume(table, "Write", rate * WriteUnits);
                if (table.Child("BillingModeSummary")?.Text("BillingMode") == "PAY_PER_REQUEST")
                {
                    bill.Add(context, environment.Key, "Amazon DynamoDB", "AmazonDynamoDB", "ReadRequestUnits", rate * ReadUnits);
                    bill.Add(context, environment.Key, "Amazon DynamoDB", "AmazonDynamoDB", "WriteRequestUnits", rate * WriteUnits);
                }
            }
        }

        // A table without traffic tells nothing; provisioned throughput that is exceeded throttles the rest.
        void Consume(JsonObject table, string kind, double wanted)
        {
            (string, string) dimension = ("TableName", table.Required("TableName"));
            var provisioned = table.Child("ProvisionedThroughput")?.Double(kind + "CapacityUnits") ?? 0;
            if (provisioned > 0)
            {
                monitoring.Publish(context, "AWS/DynamoDB", $"Provisioned{kind}CapacityUnits", time, [(provisioned, 1)], "Count", dimension);
            }
            var possible = provisioned > 0 ? provisioned * 60 : double.MaxValue;
            if (wanted > 0)
            {
                monitoring.Publish(context, "AWS/DynamoDB", $"Consumed{kind}CapacityUnits", time, [(Math.Min(wanted, possible), 1)], "Count", dimension);
            }
            if (wanted > possible)
            {
                monitoring.Publish(context, "AWS/DynamoDB", $"{kind}ThrottleEvents", time, [(Math.Round(wanted - possible), 1)], "Count", dimension);
            }
        }
    }

    private void Functions(RequestContext context, DateTimeOffset time, IReadOnlyList<ServedTraffic> served)
    {
        var functions = runtime.Collection("lambda", "functions", context).Where(item => item.Text("State") is null or "Active")
            .GroupBy(function => function.Child("_Tags")?.Text("inferloop:environment"));
        foreach (var environment in functions)
        {
            var share = served.Where(traffic => IsOf(traffic, environment.Key)).ToList();
            var invocations = share.Sum(traffic => traffic.RequestsPerSecond * traffic.Profile.FunctionShare) * 60 / environment.Count();
            if (invocations <= 0)
            {
                continue;
            }
            var errors = share.Sum(traffic => traffic.RequestsPerSecond * traffic.Profile.FunctionShare * traffic.Profile.ErrorShare) * 60 / environment.Count();
            var seconds = share.Max(traffic => traffic.Profile.Latency.TotalSeconds);
            foreach (var function in environment)
            {
                var concurrency = invocations / 60 * seconds;
                var limit = function.Double("_Concurrency") ?? double.MaxValue;
                var done = concurrency > limit ? invocations * limit / concurrency : invocations;
                (string, string) dimension = ("FunctionName", function.Required("FunctionName"));
                void Tell(string metric, double value, string unit) => monitoring.Publish(context, "AWS/Lambda", metric, time, [(value, 1)], unit, dimension);
                var suffix = function.Texts("Architectures").Contains("arm64") ? "-ARM" : "";
                bill.Add(context, environment.Key, "AWS Lambda", "AWSLambda", "Request" + suffix, done);
                bill.Add(context, environment.Key, "AWS Lambda", "AWSLambda", "Lambda-GB-Second" + suffix, done * seconds * (function.Double("MemorySize") ?? 128) / 1024);
                Tell("Invocations", done, "Count");
                Tell("Errors", errors * done / invocations, "Count");
                Tell("Throttles", invocations - done, "Count");
                Tell("Duration", seconds * 1000, "Milliseconds");
                Tell("ConcurrentExecutions", Math.Ceiling(Math.Min(concurrency, limit)), "Count");
                foreach (var ready in runtime.Collection("lambda", "provisioned-concurrency", context).Where(item => item.Text("_Function") == function.Text("FunctionName") && item.Int("AvailableProvisionedConcurrentExecutions") > 0))
                {
                    monitoring.Publish(
                        context, "AWS/Lambda", "ProvisionedConcurrencyUtilization", time, [(Math.Min(1, Math.Min(concurrency, limit) / ready.Double("AvailableProvisionedConcurrentExecutions")!.Value), 1)], "Count",
                        dimension, ("Resource", $"{function.Text("FunctionName")}:{ready.Text("_Qualifier")}"));
                }
            }
        }
    }

    private static bool IsOf(ServedTraffic traffic, string? environment) => environment is null || traffic.Environment is null || traffic.Environment == environment;

    private static double RateOf(IReadOnlyList<ServedTraffic> served, string? environment) => served.Where(traffic => IsOf(traffic, environment)).Sum(traffic => traffic.RequestsPerSecond);
}
