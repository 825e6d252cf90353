namespace Inferloop.Templates;

/// <summary>What happens to a resource.</summary>
public enum ChangeAction
{
    /// <summary>It is created.</summary>
    Add,

    /// <summary>It is changed, in place or by replacement.</summary>
    Modify,

    /// <summary>It leaves the stack.</summary>
    Remove,

    /// <summary>It exists and comes under the stack's management.</summary>
    Import,
}

/// <summary>Whether a resource is replaced by a new one.</summary>
public enum Replacement
{
    /// <summary>It is changed in place.</summary>
    Never,

    /// <summary>It may be replaced; only AWS knows, when it applies the change.</summary>
    Conditional,

    /// <summary>It is replaced.</summary>
    Always,
}

/// <summary>One changed property, or a part of one.</summary>
/// <param name="Path">The property, such as <c>ContainerDefinitions[Name=app].Image</c>.</param>
/// <param name="Before">Its value before; null when it was absent.</param>
/// <param name="After">Its value after; null when it is absent.</param>
/// <param name="RequiresRecreation">What a change of this property does to the resource.</param>
/// <param name="KnownAfterApply">
/// Whether it is known only after apply that, or to what, the property changes: it refers to a resource that is created or replaced.
/// </param>
public sealed record PropertyChange(string Path, Value? Before, Value? After, Replacement RequiresRecreation, bool KnownAfterApply)
{
    /// <summary>The paths of the replaced or new resources the value comes from, such as <c>Network/Vpc</c>.</summary>
    public IReadOnlyList<string> Causes { get; init; } = [];

    /// <summary>
    /// Whether the expression itself is the same as before, and only a replaced resource may make its value another one
    /// (CloudFormation's Dynamic evaluation).
    /// </summary>
    public bool IsDynamic { get; init; }
}

/// <summary>What happens to one resource.</summary>
/// <param name="Action">What happens.</param>
/// <param name="LogicalId">Its name in its template.</param>
/// <param name="Path">Its name from the root stack on.</param>
/// <param name="Type">Its type.</param>
/// <param name="Replacement">Whether it is replaced.</param>
/// <param name="Properties">The changed properties of a modified resource. Empty for a nested stack that changes inside only.</param>
/// <param name="Before">The resource before; null when it is added.</param>
/// <param name="After">The resource after; null when it is removed.</param>
public sealed record ResourceChange(ChangeAction Action, string LogicalId, string Path, string Type, Replacement Replacement,
    IReadOnlyList<PropertyChange> Properties, EvaluatedResource? Before, EvaluatedResource? After)
{
    /// <summary>Changes outside the properties: Metadata, DeletionPolicy, UpdateReplacePolicy, UpdatePolicy, CreationPolicy.</summary>
    public IReadOnlyList<PropertyChange> Attributes { get; init; } = [];

    /// <summary>
    /// What becomes of the old physical resource: Delete, Retain or Snapshot for a removed one, ReplaceAndDelete, ReplaceAndRetain or
    /// ReplaceAndSnapshot for one that is or may be replaced; otherwise null.
    /// </summary>
    public string? PolicyAction => Action switch
    {
        ChangeAction.Remove => Kept(Before!.DeletionPolicy),
        ChangeAction.Modify when Replacement != Replacement.Never => "ReplaceAnd" + Kept(After!.UpdateReplacePolicy),
        _ => null,
    };

    private static string Kept(string policy) => policy == "RetainExceptOnCreate" ? "Retain" : policy;

    /// <inheritdoc/>
    public override string ToString() => $"{Action} {Path} ({Type}){(Replacement == Replacement.Never ? "" : $", replacement {Replacement}")}";
}

/// <summary>The difference between two evaluations.</summary>
public sealed class StackDifference
{
    internal StackDifference(IReadOnlyList<ResourceChange> changes) => Changes = changes;

    /// <summary>The changes, those of nested stacks among them: added and modified resources in dependency order, then removed ones in the opposite order.</summary>
    public IReadOnlyList<ResourceChange> Changes { get; }

    /// <summary>Whether nothing changes.</summary>
    public bool IsEmpty => Changes.Count == 0;

    /// <summary>Finds the change of a resource.</summary>
    /// <param name="path">Its path, such as <c>Network/Vpc</c>.</param>
    /// <returns>The change; null when it does not change.</returns>
    public ResourceChange? Find(string path) => Changes.FirstOrDefault(c => c.Path == path);
}
