namespace Inferloop.Operations.Costs.Advice;

/// <summary>Instance types beside one another: the same size on Graviton, and the next smaller size.</summary>
internal static class Families
{
    private static readonly string[] s_sizes = ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"];

    // What has the same memory per vCPU. A family of the same generation where there is one.
    private static readonly Dictionary<string, string> s_arm = new(StringComparer.Ordinal)
    {
        ["t2"] = "t4g", ["t3"] = "t4g", ["t3a"] = "t4g", ["m4"] = "m6g", ["m5"] = "m6g", ["m5a"] = "m6g", ["m6i"] = "m7g", ["m6a"] = "m7g", ["m7i"] = "m7g",
        ["c4"] = "c6g", ["c5"] = "c6g", ["c5a"] = "c6g", ["c6i"] = "c7g", ["c6a"] = "c7g", ["c7i"] = "c7g", ["r4"] = "r6g", ["r5"] = "r6g", ["r5a"] = "r6g", ["r6i"] = "r7g", ["r7i"] = "r7g",
    };

    /// <summary>The type on Graviton: <c>db.t3.micro</c> to <c>db.t4g.micro</c>; null where it is one already or has none.</summary>
    public static string? OnArm(string type) => Parts(type) is { } p && s_arm.TryGetValue(p.Family, out var arm) ? p.Prefix + arm + "." + p.Size : null;

    /// <summary>The next smaller size; null where there is none.</summary>
    public static string? Smaller(string type) =>
        Parts(type) is { } p && Array.IndexOf(s_sizes, p.Size) is > 0 and var i ? p.Prefix + p.Family + "." + s_sizes[i - 1] : null;

    private static (string Prefix, string Family, string Size)? Parts(string type)
    {
        var parts = type.Split('.');
        return parts.Length switch { 2 => ("", parts[0], parts[1]), 3 => (parts[0] + ".", parts[1], parts[2]), _ => null };
    }
}
