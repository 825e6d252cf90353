namespace Inferloop.Operations.Specs;

/// <summary>
/// What an environment shall be: everything the stacks are parameterised by, typed. Immutable; a changed copy comes
/// from <see cref="With"/> or, in C#, from a <c>with</c> expression.
/// </summary>
public sealed record InferloopEnvironmentSpec
{
    /// <summary>The environment's name: 2 to 16 characters, a lower-case letter first, then lower-case letters, digits and hyphens.</summary>
    [SpecMember(TemplateParameter = "EnvironmentName", Pattern = "^[a-z][a-z0-9-]{1,15}$", Summary = "2 to 16 characters: a lower-case letter, then letters, digits, hyphens",
        PatternMeaning = "2 to 16 characters: a lower-case letter first, then lower-case letters, digits and hyphens")]
    public string Name { get; init; } = "";

    /// <summary>Dev, Staging or Prod.</summary>
    [SpecMember(Summary = "Dev, Staging or Prod")]
    public EnvironmentStage Stage { get; init; }

    /// <summary>The AWS region, such as us-east-1.</summary>
    [SpecMember(TemplateParameter = "")]
    public string Region { get; init; } = "us-east-1";

    /// <summary>The region that a recovery would use; empty for none.</summary>
    [SpecMember(TemplateParameter = "", Optional = true, Summary = "the region that a recovery would use; empty for none")]
    public string RecoveryRegion { get; init; } = "";

    /// <summary>The network.</summary>
    public NetworkSpec Network { get; init; } = new();

    /// <summary>The ECS service.</summary>
    public EcsSpec Ecs { get; init; } = new();

    /// <summary>The application.</summary>
    public ApplicationSpec Application { get; init; } = new();

    /// <summary>What the application connects to.</summary>
    public ConnectionsSpec Connections { get; init; } = new();

    /// <summary>The environment's own database.</summary>
    public DatabaseSpec Database { get; init; } = new();

    /// <summary>The environment's own cache.</summary>
    public CacheSpec Cache { get; init; } = new();

    /// <summary>Jobs on AWS Batch.</summary>
    public BatchSpec Batch { get; init; } = new();

    /// <summary>The function on AWS Lambda.</summary>
    public LambdaSpec Lambda { get; init; } = new();
    /// <summary>Kubernetes on EKS.</summary>
    public EksSpec Eks { get; init; } = new();

    /// <summary>Storage.</summary>
    public StorageSpec Storage { get; init; } = new();

    /// <summary>Protection.</summary>
    public SecuritySpec Security { get; init; } = new();

    /// <summary>What is recorded of the account, and judged.</summary>
    public GovernanceSpec Governance { get; init; } = new();

    /// <summary>How releases of the service on ECS go.</summary>
    public ReleaseSpec Release { get; init; } = new();

    /// <summary>How what is pushed reaches the environment.</summary>
    public DeliverySpec Delivery { get; init; } = new();

    /// <summary>Logs and metrics.</summary>
    public LoggingSpec Logging { get; init; } = new();

    /// <summary>Alarms and who is told of them.</summary>
    public MonitoringSpec Monitoring { get; init; } = new();

    /// <summary>The other region, and this one's part beside it.</summary>
    public RecoverySpec Recovery { get; init; } = new();

    /// <summary>Backups.</summary>
    public BackupSpec Backup { get; init; } = new();

    /// <summary>Tags for every resource, beside the ones that the module sets itself (inferloop:*). At most 40.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Where in a file each member came from; nothing for a spec made by hand.</summary>
    internal SpecOrigin Origin { get; init; } = SpecOrigin.None;

    /// <summary>The name of the environment's root stack.</summary>
    public string StackName => $"inferloop-{Name}-{Stage.ToString().ToLowerInvariant()}";

    /// <summary>Name and stage from the name of a root stack; null for a stack of another kind.</summary>
    internal static (string Name, EnvironmentStage Stage)? ParseStackName(string stackName)
    {
        const string Prefix = "inferloop-";
        var last = stackName.LastIndexOf('-');
        return stackName.StartsWith(Prefix, StringComparison.Ordinal) && last > Prefix.Length
            && Enum.TryParse<EnvironmentStage>(stackName[(last + 1)..], ignoreCase: true, out var stage)
            ? (stackName[Prefix.Length..last], stage)
            : null;
    }

    /// <summary>A copy in which one member has another value.</summary>
    /// <param name="member">The member's name ("TaskCpu") or path ("ecs.taskCpu"), in any case.</param>
    /// <param name="value">The value, or text that reads as one.</param>
    public InferloopEnvironmentSpec With(string member, object value) =>
        SpecMembers.Require(member).Set(this, value);

    /// <inheritdoc/>
    public bool Equals(InferloopEnvironmentSpec? other) =>
        other is not null
        && SpecMembers.All.All(m => Equals(m.Get(this), m.Get(other)))
        && Tags.Count == other.Tags.Count
        && Tags.All(t => other.Tags.TryGetValue(t.Key, out var v) && v == t.Value);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Stage, Region, Network, Ecs, Application);

    /// <summary>Name, stage and region in one line.</summary>
    public override string ToString() => $"{Name} ({Stage.ToString().ToLowerInvariant()}, {Region})";
}
