using System.Management.Automation;
using System.Reflection;
using Inferloop.Aws;

namespace Inferloop.PowerShell.Session;

/// <summary>
/// Credentials of another AWSSDK.Core than ours: what Set-AWSCredential of AWS.Tools leaves in $StoredAWSCredentials, or Get-AWSCredential
/// gives. Their types live in another load context, so they are known by their shape: an object with GetCredentialsAsync or GetCredentials,
/// or one that holds such an object in a property named Credentials. They are asked again whenever keys are needed, so that what they
/// refresh stays fresh.
/// </summary>
internal sealed class ForeignCredentials : IAwsCredentialSource
{
    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private readonly object credentials;

    private ForeignCredentials(object credentials, string description)
    {
        this.credentials = credentials;
        Description = description;
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <summary>Reads an object by its shape; null when it has not the shape of credentials.</summary>
    /// <param name="value">The object, wrapped by PowerShell or not.</param>
    /// <param name="description">What it is, without a secret.</param>
    public static ForeignCredentials? From(object? value, string description)
    {
        var plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        if (plain is null)
        {
            return null;
        }

        if (Getter(plain) is not null)
        {
            return new ForeignCredentials(plain, description);
        }

        // AWS.Tools wraps credentials to give them a name; the property that holds them is not public in every version.
        var held = plain.GetType().GetProperty("Credentials", Members)?.GetValue(plain);
        return held is not null && Getter(held) is not null ? new ForeignCredentials(held, description) : null;
    }

    /// <summary>The region of $StoredAWSRegion: its name, or an object of AWS.Tools that has it.</summary>
    public static string? Region(object? value) => (value is PSObject wrapped ? wrapped.BaseObject : value) switch
    {
        null => null,
        string { Length: > 0 } name => name,
        string => null,
        var plain => (plain.GetType().GetProperty("SystemName") ?? plain.GetType().GetProperty("Region"))?.GetValue(plain) as string,
    };

    /// <inheritdoc/>
    public async ValueTask<AwsKeys> GetKeysAsync(CancellationToken cancellationToken)
    {
        object? keys;
        try
        {
            keys = Getter(credentials)!.Invoke(credentials, null);
            if (keys is Task task)
            {
                await task.WaitAsync(cancellationToken).ConfigureAwait(false);
                keys = task.GetType().GetProperty("Result")!.GetValue(task);
            }
        }
        catch (TargetInvocationException e)
        {
            throw NoKeys(e.InnerException?.Message ?? e.Message, e.InnerException);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw NoKeys(e.Message, e);
        }

        var access = Read(keys, "AccessKey") as string;
        var secret = Read(keys, "SecretKey") as string;
        if (string.IsNullOrEmpty(access) || string.IsNullOrEmpty(secret))
        {
            throw NoKeys("they hold no access key", null);
        }

        var token = Read(keys, "Token") as string;
        var expires = Read(credentials, "Expiration") as DateTime?;
        return new AwsKeys(access, secret, string.IsNullOrEmpty(token) ? null : token, expires is { } at ? new DateTimeOffset(at.ToUniversalTime()) : null);
    }

    private AwsConnectionException NoKeys(string why, Exception? inner) => new(AwsFailureKind.NoCredentials, $"The {Description} give no keys: {why}", inner);

    private static MethodInfo? Getter(object value) =>
        value.GetType().GetMethod("GetCredentialsAsync", Members, Type.EmptyTypes) ?? value.GetType().GetMethod("GetCredentials", Members, Type.EmptyTypes);

    private static object? Read(object? value, string property) => value?.GetType().GetProperty(property, Members)?.GetValue(value);

    /// <summary>Two readings of the same object are the same source: sessions made with one serve the other.</summary>
    public override bool Equals(object? obj) => obj is ForeignCredentials other && ReferenceEquals(credentials, other.credentials);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(credentials);
}
