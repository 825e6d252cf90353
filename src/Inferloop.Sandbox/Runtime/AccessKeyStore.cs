using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Inferloop.Sandbox.Runtime;

/// <summary>An access key the sandbox knows. Its text form does not show the secret.</summary>
internal sealed class AccessKey
{
    public required string Id { get; init; }

    public required string Secret { get; init; }

    public required string AccountId { get; init; }

    public required string PrincipalArn { get; init; }

    /// <summary>The principal's unique id, such as <c>AIDA…</c>, or <c>AROA…:session</c>.</summary>
    public required string UserId { get; init; }

    /// <summary>Session keys are valid only together with their token.</summary>
    public string? SessionToken { get; init; }

    /// <summary>When a session key expires, in real time (as its clients see time).</summary>
    public DateTimeOffset? Expiration { get; init; }

    /// <summary>Whether it can be used: its owner may have switched it off.</summary>
    public bool IsActive { get; set; } = true;

    public override string ToString() => Id;
}

/// <summary>The access keys that requests may be signed with.</summary>
internal sealed class AccessKeyStore
{
    private const string SecretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    private readonly ConcurrentDictionary<string, AccessKey> keys = new(StringComparer.Ordinal);

    public AccessKeyStore(SandboxOptions options, Ids ids)
    {
        Root = new AccessKey
        {
            Id = options.AccessKeyId ?? "AKIA" + RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
            Secret = options.SecretAccessKey ?? NewSecret(),
            AccountId = options.AccountId,
            PrincipalArn = $"arn:{Regions.PartitionOf(options.DefaultRegion)}:iam::{options.AccountId}:user/sandbox",
            UserId = "AIDA" + ids.Base32Upper(17),
        };
        keys[Root.Id] = Root;
    }

    /// <summary>The sandbox's own key.</summary>
    public AccessKey Root { get; }

    /// <summary>A key that requests may be signed with at present.</summary>
    public AccessKey? Find(string id) => keys.GetValueOrDefault(id) is { IsActive: true } key ? key : null;

    /// <summary>Switches a key off, and on again.</summary>
    public void SetActive(string id, bool isActive)
    {
        if (keys.TryGetValue(id, out var key))
        {
            key.IsActive = isActive;
        }
    }

    public void Add(AccessKey key) => keys[key.Id] = key;

    public bool Remove(string id) => keys.TryRemove(id, out _);

    /// <summary>Secrets come from the system's generator even under a seed: they are secrets.</summary>
    public static string NewSecret() => SecureRandom.GetString(SecretAlphabet, 40);
}
