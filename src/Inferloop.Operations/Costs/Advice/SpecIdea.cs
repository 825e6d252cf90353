using System.Globalization;

namespace Inferloop.Operations.Costs.Advice;

/// <summary>A change of a spec that may save something; what it saves is found by estimating both.</summary>
internal sealed record SpecIdea(CostRecommendationKind Kind, string Path, string Title, string Evidence, string Risk, params (string Member, object Value)[] Changes)
{
    public bool IsMeasured { get; init; }

    /// <summary>Data stores whose loss the command has to consent to.</summary>
    public string Consent { get; init; } = "";

    /// <summary>What the command changes, where that is not all at once.</summary>
    public (string Member, object Value)[]? FirstStep { get; init; }

    public static string Text(object value) => value switch
    {
        bool flag => flag ? "$true" : "$false",
        IFormattable number and not Enum => number.ToString(null, CultureInfo.InvariantCulture),
        string { Length: 0 } => "''",
        _ => value.ToString() is { } text && text.Any(c => !char.IsLetterOrDigit(c) && c is not ('.' or '-')) ? $"'{text.Replace("'", "''", StringComparison.Ordinal)}'" : value.ToString()!,
    };
}
