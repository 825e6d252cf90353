namespace Inferloop.Sandbox;

/// <summary>How a sandbox is set up.</summary>
public sealed record SandboxOptions
{
    /// <summary>The loopback port; 0 takes any free one.</summary>
    public int Port { get; init; }

    /// <summary>How many sandbox seconds pass in a real second: 1 is real time, 0 a stepped clock.</summary>
    public double ClockRate { get; init; } = 60;

    /// <summary>The account that the sandbox's own access key belongs to.</summary>
    public string AccountId { get; init; } = "123456789012";

    /// <summary>The access key id clients sign with; generated when null.</summary>
    public string? AccessKeyId { get; init; }

    /// <summary>The secret access key clients sign with; generated when null. It is never logged.</summary>
    public string? SecretAccessKey { get; init; }

    /// <summary>The regions that answer; all regions of the partition when null.</summary>
    public IReadOnlyList<string>? Regions { get; init; }

    /// <summary>The region used where a caller names none.</summary>
    public string DefaultRegion { get; init; } = "us-east-1";

    /// <summary>Makes generated identifiers reproducible.</summary>
    public int? Seed { get; init; }

    /// <summary>A folder that keeps everything: a sandbox started on it again, even after its process was killed, goes on where it was. Null keeps nothing.</summary>
    public string? Path { get; init; }

    /// <summary>The largest request body accepted, in bytes.</summary>
    public long MaximumRequestBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>How many requests are worked on at the same time; further ones wait for their turn.</summary>
    public int MaximumConcurrentRequests { get; init; } = 128;

    /// <summary>Services take as many requests a second, of the sandbox's clock, as AWS's do; more are throttled.</summary>
    public bool LimitsRequestRates { get; init; } = true;

    /// <summary>How many entries the request log keeps.</summary>
    public int RequestLogCapacity { get; init; } = 2_000;

    /// <summary>How many resources of one stack are provisioned at the same time.</summary>
    public int ProvisioningParallelism { get; init; } = 64;
}
