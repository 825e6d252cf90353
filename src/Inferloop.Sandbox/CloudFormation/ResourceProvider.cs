using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>A resource that exists: its physical id (what <c>Ref</c> gives) and its attributes (what <c>Fn::GetAtt</c> gives).</summary>
internal sealed record ProvisionedResource(string PhysicalId, IReadOnlyDictionary<string, JsonNode?> Attributes)
{
    public static readonly IReadOnlyDictionary<string, JsonNode?> NoAttributes = new Dictionary<string, JsonNode?>();

    public ProvisionedResource(string physicalId)
        : this(physicalId, NoAttributes)
    {
    }

    /// <summary>What <c>Ref</c> gives, where that is not the physical id.</summary>
    public string? Reference { get; init; }
}

/// <summary>
/// What CloudFormation drives a resource type with. It calls the service's own operations in process, so that the resource is the
/// same one a client of the service sees. A <see cref="ServiceFault"/> becomes the resource's failure reason.
/// </summary>
internal abstract class ResourceProvider
{
    /// <summary>The type, such as <c>AWS::ECS::Service</c>.</summary>
    public abstract string Type { get; }

    /// <summary>The service's name in CloudFormation's failure reasons, such as <c>AmazonECS</c>, or <c>S3</c>.</summary>
    public virtual string ServiceName => Type.Split("::") is [_, var service, ..] ? service : Type;

    /// <summary>
    /// Creates the resource and completes when it is ready (the service is stable, the NAT gateway available). Calls
    /// <see cref="ProvisionContext.Initiated"/> as soon as the physical id is known.
    /// </summary>
    public abstract Task<ProvisionedResource> CreateAsync(ProvisionContext context, JsonObject properties);

    /// <summary>Changes the resource in place and completes when it is ready. Replacement has been ruled out before.</summary>
    public abstract Task<ProvisionedResource> UpdateAsync(ProvisionContext context, string physicalId, JsonObject before, JsonObject after);

    /// <summary>Deletes the resource and completes when it is gone; one that is already gone counts as deleted.</summary>
    public abstract Task DeleteAsync(ProvisionContext context, string physicalId, JsonObject properties);

    /// <summary>The resource's present properties (for drift and import), in the shape of the template; null when it is gone.</summary>
    public abstract Task<JsonObject?> ReadAsync(ProvisionContext context, string physicalId);

    /// <summary>Whether this change, which the specification calls conditional, replaces the resource.</summary>
    public virtual bool RequiresReplacement(string property, JsonObject before, JsonObject after) => false;

    /// <summary>
    /// Whether a property that <see cref="ReadAsync"/> leaves out is known to be absent, and so differs from a template that sets it; by
    /// default it counts as unreadable, as passwords are.
    /// </summary>
    public virtual bool ReportsAbsent(string property) => false;

    /// <summary>The existing resource for an import, from the identifier given; null when there is none.</summary>
    public virtual async Task<ProvisionedResource?> ImportAsync(ProvisionContext context, IReadOnlyDictionary<string, string> identifier, JsonObject properties)
    {
        var physicalId = identifier.Values.FirstOrDefault();
        return physicalId is not null && await ReadAsync(context, physicalId).ConfigureAwait(false) is not null
            ? new ProvisionedResource(physicalId)
            : null;
    }
}
