using System.Globalization;
using System.Text.Json.Nodes;

namespace Inferloop.Templates;

/// <summary>A string.</summary>
public sealed class StringValue : Value
{
    private readonly bool _secret;

    /// <summary>Makes a string.</summary>
    /// <param name="text">The text.</param>
    /// <param name="location">Where it stands in the template.</param>
    /// <param name="isSecret">Whether it must never be shown.</param>
    /// <param name="sources">The resource attributes it was made from.</param>
    public StringValue(string text, SourceLocation? location = null, bool isSecret = false, IReadOnlyList<string>? sources = null)
        : base(location, sources)
    {
        Text = text;
        _secret = isSecret;
    }

    /// <summary>The text, secret or not.</summary>
    public string Text { get; }

    /// <inheritdoc/>
    public override bool IsSecret => _secret;

    /// <inheritdoc/>
    public override bool IsKnown => true;

    /// <inheritdoc/>
    public override string? AsString() => Text;

    /// <inheritdoc/>
    public override JsonNode? ToJson() => JsonValue.Create(Text);
}

/// <summary>A number, kept in the form the template has it in.</summary>
public sealed class NumberValue : Value
{
    private readonly string _text;

    /// <summary>Makes a number from its text.</summary>
    /// <param name="text">The number in invariant form.</param>
    /// <param name="location">Where it stands in the template.</param>
    /// <param name="sources">The resource attributes it was made from.</param>
    public NumberValue(string text, SourceLocation? location = null, IReadOnlyList<string>? sources = null)
        : base(location, sources) => _text = text;

    /// <summary>Makes a number.</summary>
    /// <param name="number">The number.</param>
    /// <param name="location">Where it stands in the template.</param>
    public NumberValue(decimal number, SourceLocation? location = null)
        : this(number.ToString(CultureInfo.InvariantCulture), location)
    {
    }

    /// <inheritdoc/>
    public override bool IsKnown => true;

    /// <inheritdoc/>
    public override string? AsString() => _text;

    /// <inheritdoc/>
    public override JsonNode? ToJson() =>
        long.TryParse(_text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) ? JsonValue.Create(integer)
        : decimal.TryParse(_text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number)
        : double.TryParse(_text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) ? JsonValue.Create(real)
        : JsonValue.Create(_text);
}

/// <summary>True or false.</summary>
public sealed class BooleanValue : Value
{
    /// <summary>Makes a boolean.</summary>
    /// <param name="value">The value.</param>
    /// <param name="location">Where it stands in the template.</param>
    public BooleanValue(bool value, SourceLocation? location = null)
        : base(location) => Value = value;

    /// <summary>The value.</summary>
    public bool Value { get; }

    /// <inheritdoc/>
    public override bool IsKnown => true;

    /// <inheritdoc/>
    public override string? AsString() => Value ? "true" : "false";

    /// <inheritdoc/>
    public override JsonNode? ToJson() => JsonValue.Create(Value);
}

/// <summary>JSON's null. Templates cannot hold one; values read from elsewhere can.</summary>
public sealed class NullValue : Value
{
    private NullValue()
        : base(null)
    {
    }

    /// <summary>The one instance.</summary>
    public static NullValue Instance { get; } = new();

    /// <inheritdoc/>
    public override bool IsKnown => true;

    /// <inheritdoc/>
    public override JsonNode? ToJson() => null;
}

/// <summary>A value that will be known only when the stack is deployed.</summary>
public sealed class UnknownValue : Value
{
    internal const string Marker = "Fn::Unknown";

    /// <summary>Makes an unknown value.</summary>
    /// <param name="sources">The resource attributes it waits for.</param>
    /// <param name="location">Where it stands in the template.</param>
    public UnknownValue(IReadOnlyList<string> sources, SourceLocation? location = null)
        : this(sources, location, null, false)
    {
    }

    internal UnknownValue(IReadOnlyList<string> sources, SourceLocation? location, string? expression, bool isSecret)
        : base(location, sources)
    {
        Expression = expression;
        _secret = isSecret;
    }

    private readonly bool _secret;

    /// <summary>
    /// How the value is made of its sources, such as <c>postgres://${Db.Endpoint.Address}:5432</c>; null when it is just the source.
    /// </summary>
    public string? Expression { get; }

    /// <inheritdoc/>
    public override bool IsKnown => false;

    /// <inheritdoc/>
    public override bool IsSecret => _secret;

    /// <inheritdoc/>
    public override JsonNode? ToJson() => new JsonObject
    {
        [Marker] = Sources.Count == 1 ? JsonValue.Create(Sources[0]) : new JsonArray([.. Sources.Select(s => (JsonNode?)JsonValue.Create(s))]),
    };
}
