namespace Inferloop.Operations.Specs;

/// <summary>How much a finding matters.</summary>
public enum SpecFindingSeverity
{
    /// <summary>An environment cannot be made from this.</summary>
    Error,

    /// <summary>It can, and it is probably not what was meant.</summary>
    Warning,

    /// <summary>Worth knowing.</summary>
    Information,
}

/// <summary>One thing that a check of a spec found.</summary>
public sealed record InferloopSpecFinding
{
    /// <summary>Error, Warning or Information.</summary>
    public required SpecFindingSeverity Severity { get; init; }

    /// <summary>The stable name of the rule, such as CidrOverlap.</summary>
    public required string Rule { get; init; }

    /// <summary>The member concerned, such as network.vpcCidr; empty for the whole spec.</summary>
    public required string Member { get; init; }

    /// <summary>What is wrong.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about it.</summary>
    public string Recommendation { get; init; } = "";

    /// <summary>The file the spec was read from, if any.</summary>
    public string? File { get; init; }

    /// <summary>The line in the file, from 1; 0 when unknown.</summary>
    public int Line { get; init; }

    /// <summary>The column in the file, from 1; 0 when unknown.</summary>
    public int Column { get; init; }

    /// <summary>File, line and column where known, the member otherwise.</summary>
    public string Location => Line > 0 ? $"{System.IO.Path.GetFileName(File)}({Line},{Column})" : Member;

    /// <summary>Rule and message in one line.</summary>
    public override string ToString() => $"{Location}: {Severity.ToString().ToLowerInvariant()} {Rule}: {Message}";
}
