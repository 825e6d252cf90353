namespace Inferloop.Aws.Generator.Reading;

/// <summary>A type of the service model.</summary>
internal sealed class Shape
{
    public required string Name { get; init; }

    public required string Type { get; init; }

    public string? Documentation { get; init; }

    public IReadOnlyList<Member> Members { get; init; } = [];

    /// <summary>The element of a list, or the value of a map.</summary>
    public Member? Element { get; init; }

    public Member? Key { get; init; }

    public IReadOnlyList<string> EnumValues { get; init; } = [];

    public bool IsFlattened { get; init; }

    public string? TimestampFormat { get; init; }

    /// <summary>The member that is the whole HTTP body, where there is one.</summary>
    public string? Payload { get; init; }

    public bool IsException { get; init; }

    public bool IsDocument { get; init; }

    public bool IsSensitive { get; init; }

    public bool IsEventStream { get; init; }

    public bool IsStreaming { get; init; }

    public string? ErrorCode { get; init; }

    /// <summary>Whether the error says to try again, and if so, whether it is a throttle.</summary>
    public bool? IsRetryableThrottling { get; init; }

    public decimal? Min { get; init; }

    public decimal? Max { get; init; }

    public bool IsEnum => Type == "string" && EnumValues.Count > 0;

    public bool IsScalar => Type is not ("structure" or "list" or "map");
}

/// <summary>A reference to a shape with what the reference adds: where and under which name it travels.</summary>
internal sealed class Member
{
    public required string Name { get; init; }

    public required string ShapeName { get; init; }

    public string? Documentation { get; init; }

    public string? Location { get; init; }

    public string? LocationName { get; init; }

    public string? XmlNamespace { get; init; }

    public string? TimestampFormat { get; init; }

    public bool IsXmlAttribute { get; init; }

    public bool IsFlattened { get; init; }

    public bool IsIdempotencyToken { get; init; }

    public bool IsHostLabel { get; init; }

    public bool IsRequired { get; init; }

    public bool IsDeprecated { get; init; }

    public string? DeprecatedMessage { get; init; }

    public string? ContextParameter { get; init; }
}

/// <summary>One call of the service.</summary>
internal sealed class Operation
{
    public required string Name { get; init; }

    public string? Documentation { get; init; }

    public required string HttpMethod { get; init; }

    public required string RequestUri { get; init; }

    public Member? Input { get; init; }

    public Member? Output { get; init; }

    public string? ResultWrapper { get; init; }

    public IReadOnlyList<string> Errors { get; init; } = [];

    public string? HostPrefix { get; init; }

    public bool IsUnsigned { get; init; }

    public bool IsDeprecated { get; init; }

    public string? DeprecatedMessage { get; init; }

    public bool IsRequestCompressible { get; init; }

    public Pagination? Pagination { get; init; }

    /// <summary>Endpoint parameter to a literal.</summary>
    public IReadOnlyDictionary<string, string> StaticContextParameters { get; init; } = new Dictionary<string, string>();

    /// <summary>Endpoint parameter to a JMESPath expression over the input.</summary>
    public IReadOnlyDictionary<string, string> ContextParameters { get; init; } = new Dictionary<string, string>();
}

/// <summary>How the pages of an operation follow each other.</summary>
internal sealed record Pagination(
    IReadOnlyList<string> InputTokens, IReadOnlyList<string> OutputTokens, IReadOnlyList<string> ResultKeys, string? MoreResults);
