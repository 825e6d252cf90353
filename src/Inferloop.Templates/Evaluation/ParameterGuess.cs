namespace Inferloop.Templates;

/// <summary>
/// Values for the parameters of a template that someone only wants to look at: each fits its parameter's constraints, so that
/// the template can be evaluated without asking for a dozen subnet ids.
/// </summary>
public static class ParameterGuess
{
    // In order of likelihood; the first that the parameter takes is it.
    private static readonly string[] Candidates =
    [
        "demo", "dev", "true", "1", "10", "10.0.0.0/16", "10.0.1.0/24", "latest", "example.com", "ops@example.com", "vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "sg-0123456789abcdef0",
        "ami-0123456789abcdef0", "t3.micro", "us-east-1a", "us-east-1", "123456789012", "arn:aws:iam::123456789012:role/demo", "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef",
        "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef", "arn:aws:secretsmanager:us-east-1:123456789012:secret:demo-AbCdEf", "arn:aws:sns:us-east-1:123456789012:demo",
        "arn:aws:s3:::demo", "arn:aws:iam::123456789012:instance-profile/demo", "arn:aws:dynamodb:us-east-1:123456789012:table/demo", "arn:aws:dynamodb:us-east-1:123456789012:table/demo/stream/2026-01-01T00:00:00.000",
        "arn:aws:sqs:us-east-1:123456789012:demo", "arn:aws:lambda:us-east-1:123456789012:function:demo", "arn:aws:logs:us-east-1:123456789012:log-group:demo", "arn:aws:ecs:us-east-1:123456789012:cluster/demo",
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/demo/0123456789abcdef", "app/demo/0123456789abcdef", "targetgroup/demo/0123456789abcdef",
        "https://example.com", "demo-password-1", "",
    ];

    /// <summary>Values for every parameter that has no default.</summary>
    /// <param name="template">The template.</param>
    /// <param name="given">Values that are known; they go first.</param>
    /// <param name="unguessed">The parameters for which no value could be found.</param>
    /// <returns>The given values and the guessed ones.</returns>
    public static IReadOnlyDictionary<string, string> For(Template template, IReadOnlyDictionary<string, string> given, out IReadOnlyList<string> unguessed)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(given);
        var values = given.ToDictionary(g => g.Key, g => g.Value, StringComparer.Ordinal);
        var without = new List<string>();
        foreach (var parameter in template.Parameters.Values.Where(p => p.Default is null && !values.ContainsKey(p.Name)))
        {
            if (Guess(parameter) is { } guess)
            {
                values[parameter.Name] = guess;
            }
            else
            {
                without.Add(parameter.Name);
            }
        }

        unguessed = without;
        return values;
    }

    /// <summary>The longest values that parameters take, where their declarations tell.</summary>
    /// <param name="template">The template.</param>
    /// <param name="values">The values otherwise.</param>
    /// <param name="given">Parameters whose values are known and stay.</param>
    /// <returns>The values, each as long as it may be.</returns>
    public static IReadOnlyDictionary<string, string> Widest(Template template, IReadOnlyDictionary<string, string> values, IReadOnlyCollection<string> given)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(values);
        var widest = values.ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
        foreach (var parameter in template.Parameters.Values.Where(p => p.Type == "String" && !given.Contains(p.Name)))
        {
            var now = widest.GetValueOrDefault(parameter.Name) ?? parameter.Default ?? "";

            // Only names of stages and the like grow; a switch that is turned around would make another stack.
            if (parameter.AllowedValues.Count > 0 && parameter.Name.Contains("Stage", StringComparison.Ordinal))
            {
                widest[parameter.Name] = parameter.AllowedValues.MaxBy(v => v.Length)!;
            }
            else if (parameter.AllowedValues.Count == 0 && now.Length > 0 && Longest(parameter, now) is { } longest)
            {
                widest[parameter.Name] = longest;
            }
        }

        return widest;
    }

    private static string? Guess(TemplateParameter parameter)
    {
        if (parameter.AllowedValues.Count > 0)
        {
            return parameter.AllowedValues[0];
        }

        if (parameter.Type == "Number")
        {
            return (parameter.MinValue ?? (parameter.MaxValue < 1 ? parameter.MaxValue.Value : 1)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        var typed = parameter.Type switch
        {
            var t when t.Contains("VPC::Id", StringComparison.Ordinal) => "vpc-0123456789abcdef0",
            var t when t.Contains("Subnet::Id", StringComparison.Ordinal) => t.StartsWith("List", StringComparison.Ordinal) ? "subnet-0123456789abcdef0,subnet-0123456789abcdef1" : "subnet-0123456789abcdef0",
            var t when t.Contains("SecurityGroup", StringComparison.Ordinal) => "sg-0123456789abcdef0",
            var t when t.Contains("Image::Id", StringComparison.Ordinal) => "ami-0123456789abcdef0",
            var t when t.Contains("AvailabilityZone", StringComparison.Ordinal) => "us-east-1a",
            _ => null,
        };
        IEnumerable<string> all = typed is null ? Candidates : [typed, .. Candidates];
        return all.FirstOrDefault(c => ParameterBinder.Refusal(parameter, c) is null)
            ?? (parameter.MinLength is { } least ? Enumerable.Range(0, 1).Select(_ => new string('a', least)).FirstOrDefault(c => ParameterBinder.Refusal(parameter, c) is null) : null);
    }

    /// <summary>The value with its last letter repeated for as long as the parameter takes it.</summary>
    private static string? Longest(TemplateParameter parameter, string value)
    {
        if (parameter.MaxLength is null && parameter.AllowedPattern is null)
        {
            return null;
        }

        var longest = value;
        for (var length = value.Length + 1; length <= Math.Min(parameter.MaxLength ?? 64, 64); length++)
        {
            var next = value.PadRight(length, 'a');
            if (ParameterBinder.Refusal(parameter, next) is not null)
            {
                break;
            }

            longest = next;
        }

        // Without a bound this says nothing about real names.
        return longest.Length == 64 && parameter.MaxLength is null ? null : longest;
    }
}
