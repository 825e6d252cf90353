using System.Globalization;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>CPU and memory of EC2 instance types, as far as their name tells it.</summary>
internal static class InstanceSizes
{
    // T types: vCPU and GiB by size.
    private static readonly Dictionary<string, (decimal Cpu, decimal Memory)> s_burstable = new()
    {
        ["nano"] = (2, 0.5m), ["micro"] = (2, 1), ["small"] = (2, 2), ["medium"] = (2, 4), ["large"] = (2, 8), ["xlarge"] = (4, 16), ["2xlarge"] = (8, 32),
    };

    /// <summary>vCPU and GiB of a type; null for a family whose sizes this table does not hold.</summary>
    public static (decimal Cpu, decimal Memory)? Find(string type)
    {
        var dot = type.IndexOf('.', StringComparison.Ordinal);
        if (dot < 2)
        {
            return null;
        }

        var family = type[..dot];
        var size = type[(dot + 1)..];
        if (family is "t3" or "t3a" or "t4g")
        {
            return s_burstable.TryGetValue(size, out var burstable) ? burstable : null;
        }

        // C, M and R families hold 2, 4 and 8 GiB for each vCPU, from the fifth generation on.
        decimal? perCpu = char.IsAsciiDigit(family[1]) && family[1] >= '5' ? family[0] switch { 'c' => 2, 'm' => 4, 'r' => 8, _ => null } : null;
        decimal? cpu = size switch
        {
            "medium" => 1,
            "large" => 2,
            "xlarge" => 4,
            _ when size.EndsWith("xlarge", StringComparison.Ordinal) && decimal.TryParse(size.AsSpan(0, size.Length - 6), NumberStyles.None, CultureInfo.InvariantCulture, out var times) => times * 4,
            _ => null,
        };
        return perCpu is { } ratio && cpu is { } cpus ? (cpus, cpus * ratio) : null;
    }
}
