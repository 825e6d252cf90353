namespace Inferloop.Templates;

/// <summary>Physical ids and attributes of resources, as far as they are known.</summary>
public interface IResourceValues
{
    /// <summary>What <c>Ref</c> gives for a resource.</summary>
    /// <param name="logicalId">The logical id; in a nested stack that was evaluated with its parent the path, such as <c>Network/Vpc</c>.</param>
    /// <returns>The value; null when it is not known yet.</returns>
    Value? Ref(string logicalId);

    /// <summary>What <c>Fn::GetAtt</c> gives for a resource.</summary>
    /// <param name="logicalId">The logical id, or path, as for <see cref="Ref"/>.</param>
    /// <param name="name">The attribute, such as <c>Endpoint.Address</c>, or <c>Outputs.VpcId</c> of a nested stack.</param>
    /// <returns>The value; null when it is not known yet.</returns>
    Value? Attribute(string logicalId, string name);
}

/// <summary>Where the templates of nested stacks come from.</summary>
public interface INestedTemplateSource
{
    /// <summary>Reads the template of a nested stack.</summary>
    /// <param name="templateUrl">The evaluated TemplateURL.</param>
    /// <param name="parent">The template that names it.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The template.</returns>
    /// <exception cref="TemplateException">It cannot be read.</exception>
    ValueTask<Template> LoadAsync(string templateUrl, Template parent, CancellationToken cancellationToken);
}

/// <summary>Everything outside a template that its evaluation depends on.</summary>
public sealed record EvaluationContext
{
    /// <summary>The stack's name.</summary>
    public required string StackName { get; init; }

    /// <summary>The stack's id (ARN); null when the stack does not exist yet.</summary>
    public string? StackId { get; init; }

    /// <summary>The region.</summary>
    public required string Region { get; init; }

    /// <summary>The account.</summary>
    public required string AccountId { get; init; }

    /// <summary>The partition; by default that of the region.</summary>
    public string Partition
    {
        get => _partition ?? RegionTable.Partition(Region);
        init => _partition = value;
    }

    private readonly string? _partition;

    /// <summary>The parameter values given.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    /// <summary>The parameters that keep the value they had; see <see cref="PreviousParameters"/>.</summary>
    public IReadOnlySet<string> UsePreviousValue { get; init; } = new HashSet<string>();

    /// <summary>The values of the stack as it is. A kept parameter that is not here (it is NoEcho) has an unknown value.</summary>
    public IReadOnlyDictionary<string, string> PreviousParameters { get; init; } = new Dictionary<string, string>();

    /// <summary>The topics told about stack events.</summary>
    public IReadOnlyList<string> NotificationArns { get; init; } = [];

    /// <summary>The availability zones of a region; by default from a table.</summary>
    public Func<string, IReadOnlyList<string>> AvailabilityZones { get; init; } = RegionTable.AvailabilityZones;

    /// <summary>Exported values of other stacks by name; it returns null for a name that is not exported. Null: imports are unknown values.</summary>
    public Func<string, Value?>? Imports { get; init; }

    /// <summary>
    /// Resolves dynamic references: service (<c>ssm</c>, <c>ssm-secure</c>, <c>secretsmanager</c>) and what follows it, such as <c>/a/b</c>
    /// or <c>/a/b:3</c>. When it returns null the text stays as it is. Also resolves parameters of Systems Manager types.
    /// </summary>
    public Func<string, string, Value?>? DynamicReferences { get; init; }

    /// <summary>The physical ids and attributes known so far.</summary>
    public IResourceValues? Resources { get; init; }

    /// <summary>Where nested templates come from; null leaves nested stacks unexpanded.</summary>
    public INestedTemplateSource? NestedTemplates { get; init; }

    /// <summary>The path of a nested stack, such as <c>Network/</c>; empty for the root.</summary>
    internal string StackPath { get; init; } = "";
}
