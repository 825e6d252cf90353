using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <content>Express mode: a resource counts as complete once the service has taken its configuration.</content>
internal sealed partial class Deployment
{
    // Their last step is a wait and nothing else; other types wait between calls that build on each other.
    private static readonly HashSet<string> ReadyLater = new(StringComparer.Ordinal)
    {
        "AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::NatGateway", "AWS::EC2::VPCEndpoint", "AWS::EC2::VPNConnection", "AWS::ECS::Service",
        "AWS::ElastiCache::ReplicationGroup", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::Lambda::EventSourceMapping", "AWS::RDS::DBInstance",
    };

    private static readonly TimeSpan DependentPatience = TimeSpan.FromMinutes(45);
    private static readonly TimeSpan DependentInterval = TimeSpan.FromSeconds(10);
    private ILookup<string, string>? readAttributes;

    /// <summary>The attributes of a resource that others of the stack, or its outputs, read: with them it has to wait also in express mode.</summary>
    private IEnumerable<string> ReadAttributes(string logicalId)
    {
        readAttributes ??= target!.Resources.SelectMany(resource => resource.References).Where(reference => reference.Attribute is not null)
            .Select(reference => (reference.LogicalId, Attribute: reference.Attribute!))
            .Concat(target.Outputs.Values.SelectMany(output => Sources(output.Value)))
            .Distinct().ToLookup(read => read.LogicalId, read => read.Attribute, StringComparer.Ordinal);
        return readAttributes[logicalId];
    }

    private static IEnumerable<(string LogicalId, string Attribute)> Sources(Value value) => value.IsKnown ? [] : value.Sources
        .Select(source => source.Split('.', 2)).Where(parts => parts.Length == 2)
        .Select(parts => (parts[0][(parts[0].LastIndexOf('/') + 1)..], parts[1]));

    /// <summary>
    /// Whether a creation that failed is tried again: in express mode what it builds on may not be ready yet. Nothing of it exists, and
    /// it waits as long as the slowest resources take.
    /// </summary>
    private async Task<bool> TryAgainAsync(ResourceRecord record, bool initiated, DateTimeOffset started)
    {
        if (!Stack.IsExpress || initiated || record.DependsOn.Count == 0 || runtime.Clock.Now - started > DependentPatience)
        {
            return false;
        }
        await runtime.Clock.DelayAsync(DependentInterval, cancellation.Token).ConfigureAwait(false);
        return true;
    }
}
