namespace Inferloop.Operations.Environments;

/// <summary>
/// How far a stack operation is. Resources weigh as long as they usually take, so that the bar does not stand at 90 %
/// for the minutes that a load balancer and a service need.
/// </summary>
internal sealed class StackProgress
{
    // Seconds, as observed in ordinary accounts; only their proportions matter.
    private static readonly Dictionary<string, int> Usual = new(StringComparer.Ordinal)
    {
        ["AWS::EC2::NatGateway"] = 110,
        ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = 150,
        ["AWS::ECS::Service"] = 180,
        ["AWS::AutoScaling::AutoScalingGroup"] = 60,
        ["AWS::ECS::Cluster"] = 15,
        ["AWS::EC2::VPC"] = 15,
        ["AWS::EC2::InternetGateway"] = 17,
        ["AWS::EC2::EIP"] = 17,
        ["AWS::IAM::Role"] = 18,
        ["AWS::IAM::InstanceProfile"] = 120,
        ["AWS::KMS::Key"] = 60,
        ["AWS::DynamoDB::Table"] = 35,
        ["AWS::S3::Bucket"] = 25,
        ["AWS::ServiceDiscovery::PrivateDnsNamespace"] = 45,
        ["AWS::CloudFormation::Stack"] = 3,
    };

    private readonly Dictionary<string, int> weights;
    private readonly HashSet<string> done = new(StringComparer.Ordinal);
    private readonly TimeProvider time;
    private readonly string activity;
    private long began;
    private double last;
    private string status = "";

    // planned: path and type of every resource that the operation will touch; empty when unknown.
    public StackProgress(string activity, IEnumerable<(string Path, string Type)> planned, TimeProvider time)
    {
        this.activity = activity;
        this.time = time;
        weights = planned.GroupBy(p => p.Path, StringComparer.Ordinal).ToDictionary(g => g.Key, g => Weight(g.First().Type), StringComparer.Ordinal);
        Known = weights.Count > 0;
        began = time.GetTimestamp();
    }

    public bool Known { get; }

    public int Done => done.Count;

    public int Total => weights.Count;

    public OperationProgress Apply(InferloopEnvironmentEvent e)
    {
        status = $"{e.Status} {e.Path}";
        if (e.Status.Contains("ROLLBACK", StringComparison.Ordinal) && e.IsStack && e.Status.EndsWith("IN_PROGRESS", StringComparison.Ordinal))
        {
            // A rollback undoes what was done; its own length is what counts from here.
            last = 0;
            began = time.GetTimestamp();
        }

        if (!(e.IsStack && e.Path.IndexOf('/', StringComparison.Ordinal) < 0 && !weights.ContainsKey(e.Path)))
        {
            weights.TryAdd(e.Path, Weight(e.Type));
            if (e.Status.EndsWith("_COMPLETE", StringComparison.Ordinal) || e.Status == "DELETE_SKIPPED")
            {
                done.Add(e.Path);
            }
            else if (e.Status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal) && e.Status.StartsWith("DELETE", StringComparison.Ordinal))
            {
                done.Remove(e.Path);
            }
        }

        return Current();
    }

    public OperationProgress Current()
    {
        var total = weights.Values.Sum();
        var share = total == 0 || !Known ? 0 : (double)weights.Where(w => done.Contains(w.Key)).Sum(w => w.Value) / total;

        // Never backwards: a resource found on the way makes the total grow.
        last = Math.Max(last, share);
        var elapsed = time.GetElapsedTime(began);
        TimeSpan? remaining = Known && last is > 0.05 and < 1 ? elapsed * ((1 - last) / last) : null;
        var count = Known ? $"{done.Count} of {weights.Count} resources" : $"{done.Count} resources";
        return new OperationProgress(activity, status.Length > 0 ? $"{count}; {status}" : count, Known ? (int)(last * 100) : -1, remaining);
    }

    private static int Weight(string type) => Usual.TryGetValue(type, out var seconds) ? seconds : 5;
}
