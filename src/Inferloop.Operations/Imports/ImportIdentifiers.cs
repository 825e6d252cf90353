using Amazon.CloudFormation.Model;
using Inferloop.Templates;

namespace Inferloop.Operations.Imports;

/// <summary>Turns what a user wrote into the identifiers that CloudFormation takes for each type.</summary>
internal sealed class ImportIdentifiers(IReadOnlyList<ResourceIdentifierSummary> summaries)
{
    /// <summary>The resource as CreateChangeSet takes it.</summary>
    /// <exception cref="OperationException">The type cannot be imported, or the identifier does not fit it.</exception>
    public ResourceToImport Resolve(TemplateResource resource, ImportIdentifier identifier)
    {
        // Each entry is one way to name a resource of the type; where it takes several properties, they stand with commas.
        var ways = summaries.Where(s => s.ResourceType == resource.Type && (s.LogicalResourceIds ?? []).Contains(resource.LogicalId))
            .SelectMany(s => s.ResourceIdentifiers ?? []).Select(w => w.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();
        if (ways.Count == 0)
        {
            throw new OperationException(
                "ImportTypeNotSupported", OperationErrorKind.InvalidArgument, $"CloudFormation cannot import resources of type {resource.Type}, such as '{resource.LogicalId}'.",
                "Leave it out of the template, or let the stack create one of its own after the import.", resource.LogicalId);
        }

        return new ResourceToImport
        {
            LogicalResourceId = resource.LogicalId,
            ResourceType = resource.Type,
            ResourceIdentifier = identifier.Value is { } value ? FromValue(resource, ways, value) : FromProperties(resource, ways, identifier.Properties),
        };
    }

    private static Dictionary<string, string> FromValue(TemplateResource resource, List<string[]> ways, string value)
    {
        var single = ways.Where(w => w.Length == 1).Select(w => w[0]).ToList();

        // Some types can be named in two ways; an ARN says by its form which one is meant.
        var arn = value.StartsWith("arn:", StringComparison.Ordinal);
        if (single.Find(s => s.EndsWith("Arn", StringComparison.OrdinalIgnoreCase) == arn) is { } fitting)
        {
            return new Dictionary<string, string> { [fitting] = value };
        }

        if (single.Count > 0)
        {
            return new Dictionary<string, string> { [single[0]] = value };
        }

        // As AWS writes an identifier of several properties in one string elsewhere.
        var parts = value.Split('|');
        return ways.Find(w => w.Length == parts.Length) is { } way
            ? way.Zip(parts).ToDictionary(p => p.First, p => p.Second, StringComparer.Ordinal)
            : throw Mismatch(resource, ways, $"'{value}' alone does not name a resource of type {resource.Type}");
    }

    private static Dictionary<string, string> FromProperties(TemplateResource resource, List<string[]> ways, IReadOnlyDictionary<string, string> given)
    {
        var way = ways.Find(w => w.Length == given.Count && w.All(p => given.Keys.Contains(p, StringComparer.OrdinalIgnoreCase)))
            ?? throw Mismatch(resource, ways, $"{string.Join(", ", given.Keys.Order(StringComparer.Ordinal))} does not name a resource of type {resource.Type}");
        return way.ToDictionary(p => p, p => given.First(g => g.Key.Equals(p, StringComparison.OrdinalIgnoreCase)).Value, StringComparer.Ordinal);
    }

    private static OperationException Mismatch(TemplateResource resource, List<string[]> ways, string what) => new(
        "ImportIdentifierInvalid", OperationErrorKind.InvalidArgument, $"{what}; '{resource.LogicalId}' cannot be found.",
        "Give " + string.Join(" or ", ways.Select(w => $"-Resource @{{ {resource.LogicalId} = @{{ {string.Join("; ", w.Select(p => p + " = '...'"))} }} }}")) + ".", resource.LogicalId);
}
