using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Inferloop.Sandbox.Traffic;

/// <summary>A load profile read from a file: YAML or JSON with all members, or CSV with the columns At and RequestsPerSecond.</summary>
public static class LoadProfileFile
{
    /// <summary>Reads a profile.</summary>
    /// <param name="path">The file; its ending says how it is written.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="FormatException">The file is no profile: the message says where and why.</exception>
    public static async Task<SandboxLoadProfile> ReadAsync(string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        var text = await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" => ParseCsv(text),
            ".yaml" or ".yml" or ".json" => ParseYaml(text),
            var other => throw new FormatException($"A load profile is a .yaml, .yml, .json or .csv file, not {(other.Length == 0 ? "one without an ending" : other)}."),
        };
    }

    internal static SandboxLoadProfile ParseCsv(string text)
    {
        var lines = text.Split('\n').Select((line, i) => (Cells: line.Trim().Split(',').Select(cell => cell.Trim().Trim('"')).ToArray(), Number: i + 1))
            .Where(line => line.Cells.Any(cell => cell.Length > 0)).ToList();
        if (lines.Count == 0)
        {
            throw new FormatException("The file is empty.");
        }
        var at = Array.FindIndex(lines[0].Cells, cell => cell.Equals("At", StringComparison.OrdinalIgnoreCase));
        var rate = Array.FindIndex(lines[0].Cells, cell => cell.Equals("RequestsPerSecond", StringComparison.OrdinalIgnoreCase));
        if (at < 0 || rate < 0)
        {
            throw new FormatException("Line 1: the columns At and RequestsPerSecond are needed.");
        }
        return new SandboxLoadProfile
        {
            Points = [.. lines.Skip(1).Select(line => line.Cells.Length > Math.Max(at, rate)
                ? new SandboxLoadPoint(Time(line.Cells[at], line.Number), Number(line.Cells[rate], line.Number))
                : throw new FormatException($"Line {line.Number}: a cell is missing."))],
        };
    }

    internal static SandboxLoadProfile ParseYaml(string text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new FormatException($"Line {e.Start.Line}: {e.InnerException?.Message ?? e.Message}", e);
        }
        if (stream.Documents is not [{ RootNode: YamlMappingNode root }])
        {
            throw new FormatException("A load profile is one mapping, with a list of points.");
        }
        var profile = new SandboxLoadProfile { Points = [] };
        foreach (var (key, value) in root.Children)
        {
            var line = (int)value.Start.Line;
            var scalar = (value as YamlScalarNode)?.Value ?? "";
            profile = key.ToString() switch
            {
                "points" => profile with { Points = ReadPoints(value) },
                "stepped" => profile with { IsStepped = Flag(scalar, line) },
                "ofDay" => profile with { IsOfDay = Flag(scalar, line) },
                "repeat" => profile with { Repeat = Time(scalar, line) },
                "errorShare" => profile with { ErrorShare = Number(scalar, line) },
                "clientErrorShare" => profile with { ClientErrorShare = Number(scalar, line) },
                "latency" => profile with { Latency = Time(scalar, line) },
                "cpuPerRequest" => profile with { CpuPerRequest = Time(scalar, line) },
                "memoryPerRequest" => profile with { MemoryPerRequest = Number(scalar, line) },
                "functionShare" => profile with { FunctionShare = Number(scalar, line) },
                var other => throw new FormatException($"Line {key.Start.Line}: a load profile has no member {other}; it has points, stepped, ofDay, repeat, errorShare, clientErrorShare, latency, cpuPerRequest, memoryPerRequest and functionShare."),
            };
        }
        return profile;
    }

    private static List<SandboxLoadPoint> ReadPoints(YamlNode node)
    {
        if (node is not YamlSequenceNode list)
        {
            throw new FormatException($"Line {node.Start.Line}: points is a list.");
        }
        var points = new List<SandboxLoadPoint>();
        foreach (var item in list)
        {
            var line = (int)item.Start.Line;
            string Member(string name) => item is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(name), out var value) && value is YamlScalarNode { Value: { } text }
                ? text : throw new FormatException($"Line {line}: a point has the members at and requestsPerSecond.");
            points.Add(new SandboxLoadPoint(Time(Member("at"), line), Number(Member("requestsPerSecond"), line)));
        }
        return points;
    }

    private static double Number(string text, int line) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
        ? value : throw new FormatException($"Line {line}: '{text}' is not a number.");

    private static bool Flag(string text, int line) => bool.TryParse(text, out var value) ? value : throw new FormatException($"Line {line}: '{text}' is neither true nor false.");

    private static TimeSpan Time(string text, int line) => text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value)
        ? value : throw new FormatException($"Line {line}: '{text}' is not a time, such as 0:30:00 or 1.12:00:00.");
}
