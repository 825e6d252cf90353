using System.Text.Json;

namespace Inferloop.Aws.Generator.Reading;

/// <summary>A service model (botocore's C2J format) with the endpoint rules that belong to it.</summary>
internal sealed class ServiceModel
{
    private readonly Dictionary<string, Shape> shapes = new(StringComparer.Ordinal);

    private ServiceModel(ServiceNames names, ServiceCustomization customization, JsonElement root, JsonElement? endpointRules)
    {
        Names = names;
        Customization = customization;
        EndpointRules = endpointRules;
        JsonElement metadata = root.GetProperty("metadata");
        Protocol = ChooseProtocol(metadata);
        JsonVersion = metadata.Text("jsonVersion") ?? "1.0";
        TargetPrefix = metadata.Text("targetPrefix");
        ApiVersion = metadata.Text("apiVersion") ?? "";
        ServiceId = metadata.Text("serviceId") ?? names.Namespace;
        FullName = metadata.Text("serviceFullName") ?? ServiceId;
        EndpointPrefix = metadata.Text("endpointPrefix") ?? "";
        SigningName = metadata.Text("signingName") ?? EndpointPrefix;
        XmlNamespace = metadata.Text("xmlNamespace");
        IsQueryCompatible = metadata.TryGetProperty("awsQueryCompatible", out _);
        foreach (JsonProperty property in root.GetProperty("shapes").EnumerateObject())
        {
            shapes[property.Name] = ModelReader.ReadShape(property.Name, property.Value);
        }

        bool hasPagination = root.TryGetProperty("pagination", out JsonElement pagination);
        Operations = [.. root.GetProperty("operations").EnumerateObject()
            .Select(o => ModelReader.ReadOperation(o.Name, o.Value, hasPagination && pagination.TryGetProperty(o.Name, out JsonElement p) ? p : null))
            .OrderBy(o => o.Name, StringComparer.Ordinal)];
        Structures = FindStructures();
        Exceptions = [.. Operations.SelectMany(o => o.Errors).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(e => shapes[e])];
        Enumerations = FindEnumerations();
    }

    public ServiceNames Names { get; }

    public ServiceCustomization Customization { get; }

    public string Protocol { get; }

    public string JsonVersion { get; }

    public string? TargetPrefix { get; }

    public string ApiVersion { get; }

    public string ServiceId { get; }

    public string FullName { get; }

    public string EndpointPrefix { get; }

    public string SigningName { get; }

    public string? XmlNamespace { get; }

    public bool IsQueryCompatible { get; }

    public JsonElement? EndpointRules { get; }

    public IReadOnlyList<Operation> Operations { get; }

    /// <summary>Structures that are a type of their own: reached through a member, and no exception.</summary>
    public IReadOnlyList<Shape> Structures { get; }

    public IReadOnlyList<Shape> Exceptions { get; }

    public IReadOnlyList<Shape> Enumerations { get; }

    public Shape this[Member member] => shapes[member.ShapeName];

    public Shape this[string name] => shapes[name];

    public static ServiceModel Read(ServiceNames names, ServiceCustomization customization, string modelPath, string? endpointRulesPath)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(modelPath));
        JsonElement? rules = endpointRulesPath is not null && File.Exists(endpointRulesPath)
            ? JsonDocument.Parse(File.ReadAllBytes(endpointRulesPath)).RootElement
            : null;
        return new ServiceModel(names, customization, document.RootElement, rules);
    }

    /// <summary>Where a service speaks several protocols, the first one the runtime carries (CBOR would bring a package of its own).</summary>
    private static string ChooseProtocol(JsonElement metadata)
    {
        string[] offered = metadata.TryGetProperty("protocols", out JsonElement protocols)
            ? [.. protocols.EnumerateArray().Select(p => p.GetString()!)]
            : [metadata.Text("protocol")!];
        return offered.FirstOrDefault(p => p is "json" or "query" or "rest-json" or "rest-xml")
            ?? throw new NotSupportedException($"none of the protocols {string.Join(", ", offered)} can be generated");
    }

    private List<Shape> FindStructures()
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        HashSet<string> nested = new(StringComparer.Ordinal);
        Stack<Member> pending = new();
        void PushMembers(Shape shape)
        {
            foreach (Member member in shape.Members)
            {
                pending.Push(member);
            }
        }

        foreach (Operation operation in Operations)
        {
            foreach (Member root in new[] { operation.Input, operation.Output }.OfType<Member>())
            {
                PushMembers(this[root]);
            }

            foreach (string error in operation.Errors)
            {
                PushMembers(shapes[error]);
            }
        }

        while (pending.TryPop(out Member? member))
        {
            Shape shape = this[member];
            if (!seen.Add(shape.Name))
            {
                continue;
            }

            if (shape.Type == "structure" && !shape.IsDocument)
            {
                nested.Add(shape.Name);
                PushMembers(shape);
            }

            foreach (Member part in new[] { shape.Element, shape.Key }.OfType<Member>())
            {
                pending.Push(part);
            }
        }

        return [.. nested.Order(StringComparer.Ordinal).Select(n => shapes[n])];
    }

    /// <summary>Enumerations some property has as its type: in lists and maps the official types say "string".</summary>
    private List<Shape> FindEnumerations() =>
        [.. shapes.Values.Where(s => s.IsEnum).OrderBy(s => s.Name, StringComparer.Ordinal)];
}
