using System.Collections.Concurrent;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Hosting;

/// <summary>
/// How many requests a service takes of an account in a region: a bucket for what reads and one for what changes, refilled on the sandbox's
/// clock, so that a client that AWS would throttle is throttled in real time, and none is for the clock's speed. Services that AWS lets
/// take thousands of requests a second (S3, DynamoDB's items, SQS, KMS) have no bucket here.
/// </summary>
internal sealed class RequestRates(SandboxRuntime runtime)
{
    // Requests a second, and how many may come at once. Documented: Route 53 (5 a second), EC2 (100 and 20 a second for most of what reads; 50 and 5
    // for most of what changes), ELB (40 and 10 for what reads, 40 and 3 otherwise), Lambda (15 a second for the control plane), ECS (50 and 20 for what reads
    // services and tasks), SSM parameters (40 a second), Logs (StartQuery and GetQueryResults 10 a second...), STS (600). The others: of the order that operators see.
    private static readonly Dictionary<string, (double ReadBurst, double ReadRate, double WriteBurst, double WriteRate)> Limits = new(StringComparer.Ordinal)
    {
        ["cloudformation"] = (100, 20, 40, 8),
        ["route53"] = (5, 5, 5, 5),
        ["ec2"] = (100, 20, 100, 10),
        ["elbv2"] = (40, 10, 40, 5),
        ["autoscaling"] = (100, 10, 40, 5),
        ["ecs"] = (100, 20, 100, 10),
        ["eks"] = (100, 10, 40, 5),
        ["ecr"] = (200, 50, 50, 10),
        ["lambda"] = (100, 15, 100, 15),
        ["rds"] = (100, 20, 40, 5),
        ["elasticache"] = (100, 10, 40, 5),
        ["iam"] = (100, 20, 50, 10),
        ["organizations"] = (10, 5, 5, 2),
        ["budgets"] = (20, 5, 10, 2),
        ["ce"] = (10, 5, 10, 5),
        ["pricing"] = (10, 10, 10, 10),
        ["config"] = (50, 10, 20, 5),
        ["cloudtrail"] = (20, 2, 20, 2),
        ["backup"] = (50, 10, 20, 5),
        ["batch"] = (100, 50, 100, 50),
        ["codebuild"] = (50, 10, 20, 5),
        ["codepipeline"] = (50, 10, 20, 5),
        ["application-autoscaling"] = (50, 10, 50, 10),
        ["servicediscovery"] = (100, 20, 50, 5),
        ["service-quotas"] = (20, 10, 10, 2),
        ["wafv2"] = (25, 5, 10, 1),
        ["apigatewayv2"] = (40, 10, 40, 10),
        ["scheduler"] = (100, 50, 100, 50),
    };

    /// <summary>Operations that have a limit of their own; without one they are not bounded.</summary>
    private static readonly Dictionary<(string Service, string Operation), (double Burst, double Rate)?> Own = new()
    {
        [("lambda", "Invoke")] = null,
        [("ec2", "RunInstances")] = (5, 2),
        [("ssm", "GetParameter")] = (40, 40),
        [("ssm", "GetParameters")] = (40, 40),
        [("ssm", "GetParametersByPath")] = (40, 40),
        [("ssm", "PutParameter")] = (20, 3),
        [("logs", "StartQuery")] = (10, 10),
        [("logs", "GetQueryResults")] = (10, 10),
        [("logs", "FilterLogEvents")] = (10, 10),
        [("logs", "DescribeLogGroups")] = (10, 10),
        [("cloudwatch", "DescribeAlarms")] = (9, 9),
        [("cloudwatch", "PutMetricAlarm")] = (3, 3),
        [("cloudwatch", "GetMetricStatistics")] = (400, 400),
        [("cloudwatch", "GetMetricData")] = (50, 50),
        [("dynamodb", "CreateTable")] = (50, 10),
        [("dynamodb", "UpdateTable")] = (50, 10),
        [("dynamodb", "DeleteTable")] = (50, 10),
        [("cloudtrail", "LookupEvents")] = (2, 2),
        [("config", "SelectResourceConfig")] = (5, 1),
    };

    private readonly ConcurrentDictionary<(string Account, string Region, string Service, string Bucket), Bucket> buckets = new();

    /// <summary>Takes a request in; false when there have been too many.</summary>
    public bool Admits(string account, string region, ServiceModel model, OperationModel operation)
    {
        if (!runtime.Options.LimitsRequestRates || runtime.Clock.Rate == 0)
        {
            // A clock that stands refills nothing.
            return true;
        }
        if (Own.TryGetValue((model.Name, operation.Name), out var own))
        {
            return own is not { } limit || Take((account, region, model.Name, operation.Name), limit.Burst, limit.Rate);
        }
        if (!Limits.TryGetValue(model.Name, out var limits))
        {
            return true;
        }
        var reads = IsRead(operation.Name);
        return Take((account, region, model.Name, reads ? "read" : "write"), reads ? limits.ReadBurst : limits.WriteBurst, reads ? limits.ReadRate : limits.WriteRate);
    }

    private static bool IsRead(string operation) => operation.StartsWith("Describe", StringComparison.Ordinal) || operation.StartsWith("Get", StringComparison.Ordinal) || operation.StartsWith("List", StringComparison.Ordinal)
        || operation.StartsWith("Lookup", StringComparison.Ordinal) || operation.StartsWith("Search", StringComparison.Ordinal) || operation.StartsWith("Validate", StringComparison.Ordinal) || operation.StartsWith("Test", StringComparison.Ordinal);

    private bool Take((string, string, string, string) key, double burst, double rate)
    {
        var now = runtime.Clock.Now;
        var bucket = buckets.GetOrAdd(key, static (_, start) => new Bucket { Tokens = start.Burst, At = start.Now }, (Burst: burst, Now: now));
        lock (bucket)
        {
            bucket.Tokens = Math.Min(burst, bucket.Tokens + (Math.Max(0, (now - bucket.At).TotalSeconds) * rate));
            bucket.At = now;
            if (bucket.Tokens < 1)
            {
                return false;
            }
            bucket.Tokens--;
            return true;
        }
    }

    private sealed class Bucket
    {
        public double Tokens { get; set; }

        public DateTimeOffset At { get; set; }
    }
}
