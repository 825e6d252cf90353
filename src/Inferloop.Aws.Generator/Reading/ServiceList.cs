using System.Text.Json;

namespace Inferloop.Aws.Generator.Reading;

/// <summary>The official names of a service: <c>Amazon.{Namespace}.Amazon{Class}Client</c>.</summary>
internal sealed record ServiceNames(string File, string Namespace, string Class, string Client)
{
    public string Root => $"Amazon.{Namespace}";

    public string Model => $"Amazon.{Namespace}.Model";

    public string Interface => $"IAmazon{Class}";

    public string Base => $"Amazon{Class}";
}

/// <summary>Where the official types leave the rule: facts of the official assemblies that no model contains.</summary>
internal sealed class ServiceCustomization
{
    public static ServiceCustomization None { get; } = new();

    /// <summary>Shape name to official class name.</summary>
    public Dictionary<string, string> Shapes { get; init; } = [];

    /// <summary><c>Shape.member</c> to official property name.</summary>
    public Dictionary<string, string> Members { get; init; } = [];

    /// <summary>The service answers "/hostedzone/Z1" where it takes "Z1".</summary>
    public bool AnswersIdsAsPaths { get; init; }

    /// <summary>Members (<c>Shape.member</c>) that hold milliseconds since 1970 and are a DateTime to .NET.</summary>
    public HashSet<string> EpochMilliseconds { get; init; } = [];
}

/// <summary>Reads services.json and customizations.json.</summary>
internal static class ServiceList
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static IReadOnlyList<ServiceNames> Read(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. document.RootElement.GetProperty("services").EnumerateObject().Select(s =>
        {
            string ns = s.Value.Text("namespace") ?? s.Name;
            return new ServiceNames(s.Name, ns, s.Value.Text("class") ?? ns, s.Value.Text("client") ?? "none");
        })];
    }

    public static IReadOnlyDictionary<string, ServiceCustomization> ReadCustomizations(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.GetProperty("services").EnumerateObject().ToDictionary(
            p => p.Name, p => p.Value.Deserialize<ServiceCustomization>(Options)!, StringComparer.Ordinal);
    }
}
