using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;

namespace Inferloop.Tests.Sandbox;

/// <summary>Random documents of a shape.</summary>
/// <param name="random">What chooses.</param>
/// <param name="plausible">Whether values fit the constraints of the model, most of what is required is there and most of what is not is left out.</param>
/// <param name="known">A text that has been seen under a member's name before, or null.</param>
internal sealed class DocumentMaker(Random random, bool plausible = false, Func<string, string?>? known = null)
{
    private const int MaximumDepth = 5;

    /// <summary>Texts of which one fits almost every pattern of the models.</summary>
    private static readonly string[] Candidates =
    [
        "thing", "thing-1", "Thing1", "123456789012", "1", "/a/b", "arn:aws:iam::123456789012:role/thing", "arn:aws:s3:::thing", "10.0.0.0/16", "t3.medium",
        "i-0123456789abcdef0", "{}", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}", "0123456789abcdef0123456789abcdef",
        "2026-01-01", "rate(1 minute)", "aws/thing", "alias/thing", "#a = :b", "https://example.com/thing", "us-east-1",
    ];

    public JsonObject Structure(Shape shape, int depth)
    {
        var document = new JsonObject();
        var one = plausible && shape.IsUnion && shape.Members.Count > 0 ? shape.Members[random.Next(shape.Members.Count)] : null;
        foreach (var member in shape.Members)
        {
            if (member.Shape.IsDocument || member.JsonValue || one is not null && one != member)
            {
                continue;
            }
            if (plausible && one is null && random.Next(20) >= (shape.Required.Contains(member.Name) ? 19 : 8))
            {
                continue;
            }
            if (Value(member, depth + 1) is { } value)
            {
                document[member.Name] = value;
            }
        }
        return document;
    }

    private JsonNode? Value(ShapeMember member, int depth, string? name = null)
    {
        var shape = member.Shape;
        if (depth > MaximumDepth && shape.Type is ShapeType.Structure or ShapeType.List or ShapeType.Map && depth > MaximumDepth)
        {
            return null;
        }
        switch (shape.Type)
        {
            case ShapeType.Structure:
                var structure = Structure(shape, depth);
                return structure.Count == 0 ? null : structure;
            case ShapeType.List:
                var items = Enumerable.Range(0, plausible ? random.Next(1, 3) : 2).Select(_ => Value(shape.Item!, depth + 1, member.Name)).Where(item => item is not null).ToArray();
                return items.Length == 0 ? null : new JsonArray(items);
            case ShapeType.Map:
                var map = new JsonObject();
                foreach (var i in Enumerable.Range(0, 2))
                {
                    if (Value(shape.Value!, depth + 1) is { } value)
                    {
                        map[plausible && shape.Key!.Shape is { Enum.Count: > 0 } key ? key.Enum[(random.Next(key.Enum.Count) + i) % key.Enum.Count] : $"key{i}"] = value;
                    }
                }
                return map.Count == 0 ? null : map;
            case ShapeType.Integer or ShapeType.Long:
                return JsonValue.Create(plausible ? (long)random.Next((int)Math.Max(-1, shape.Minimum ?? -1), (int)Math.Min(shape.Maximum ?? 500, 100_000) + 1) : random.Next(-1000, 1000));
            case ShapeType.Float or ShapeType.Double:
                return JsonValue.Create(random.Next(-1000, 1000) + 0.5);
            case ShapeType.Boolean:
                return JsonValue.Create(random.Next(2) == 0);
            case ShapeType.Blob:
                return JsonValue.Create(Convert.ToBase64String([1, 2, (byte)random.Next(256)]));
            case ShapeType.Timestamp:
                return JsonValue.Create(Scalars.Timestamp(DateTimeOffset.FromUnixTimeSeconds(random.Next())));
            default:
                if (plausible)
                {
                    return JsonValue.Create(Plausible(shape, name ?? member.Name));
                }
                return JsonValue.Create("t<&>\"'é " + random.Next());
        }
    }

    private string Plausible(Shape shape, string name)
    {
        if (shape.Enum.Count > 0)
        {
            return shape.Enum[random.Next(shape.Enum.Count)];
        }
        if (random.Next(4) > 0 && known?.Invoke(name) is { } seen)
        {
            return seen;
        }
        var start = random.Next(Candidates.Length);
        var text = Enumerable.Range(0, Candidates.Length).Select(i => Candidates[(start + i) % Candidates.Length])
            .FirstOrDefault(candidate => shape.Pattern?.IsMatch(candidate) != false && candidate.Length >= (shape.Minimum ?? 0) && candidate.Length <= (shape.Maximum ?? 10_000)) ?? "thing";
        return text;
    }
}
