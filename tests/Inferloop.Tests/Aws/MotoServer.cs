using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Inferloop.Aws;

namespace Inferloop.Tests.Aws;

/// <summary>moto's server on a free port, where moto is installed; stopped at the end.</summary>
public sealed class MotoServer : IAsyncLifetime
{
    private Process? process;
    private Uri? address;

    public async ValueTask InitializeAsync()
    {
        if (ExternalTool.Find("moto_server") is not { } program)
        {
            return;
        }

        using (TcpListener listener = new(IPAddress.Loopback, 0))
        {
            listener.Start();
            address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        }

        ProcessStartInfo start = new(program, ["-H", "127.0.0.1", "-p", address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using HttpClient http = new();
        await Waiter.UntilAsync(
            async token =>
            {
                Assert.False(process.HasExited, "moto_server ended before it answered");
                try
                {
                    using HttpResponseMessage answer = await http.GetAsync(new Uri(address, "moto-api/"), token);
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            ready => ready,
            new WaiterOptions { InitialDelay = TimeSpan.FromMilliseconds(100), MaximumDelay = TimeSpan.FromMilliseconds(500), Timeout = TimeSpan.FromMinutes(2) },
            CancellationToken.None);
    }

    public AwsSession Session()
    {
        Assert.SkipUnless(address is not null, "moto_server (pip install 'moto[server]') is not on PATH: a foreign endpoint for our clients");
        return AwsSession.Create(new AwsConnectionOptions { AccessKey = "AKIDMOTO", SecretKey = "secret", Region = "us-east-1", EndpointUrl = address!.ToString() });
    }

    public async ValueTask DisposeAsync()
    {
        if (process is null)
        {
            return;
        }

        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        await process.WaitForExitAsync();
        process.Dispose();
    }
}
