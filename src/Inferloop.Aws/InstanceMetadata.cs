using System.Net.Sockets;
using Amazon.Util;

namespace Inferloop.Aws;

/// <summary>The instance metadata service, asked with care: on a machine outside EC2 nothing answers, and nothing says so.</summary>
internal static class InstanceMetadata
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static bool IsDisabled =>
        string.Equals(Environment.GetEnvironmentVariable("AWS_EC2_METADATA_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);

    private static Uri Address =>
        Environment.GetEnvironmentVariable("AWS_EC2_METADATA_SERVICE_ENDPOINT") is { Length: > 0 } address && Uri.TryCreate(address, UriKind.Absolute, out Uri? uri)
            ? uri
            : new Uri("http://169.254.169.254");

    public static async Task<bool> IsReachableAsync(CancellationToken cancellationToken)
    {
        if (IsDisabled)
        {
            return false;
        }

        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using TcpClient probe = new();
            await probe.ConnectAsync(Address.Host, Address.Port, patience.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    public static async Task<string?> GetRegionAsync(CancellationToken cancellationToken) =>
        await IsReachableAsync(cancellationToken).ConfigureAwait(false)
            ? await Task.Run(() => EC2InstanceMetadata.Region?.SystemName, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false)
            : null;
}
