using System.Collections.Specialized;
using System.Management.Automation;
using System.Security;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Traffic;

namespace Inferloop.PowerShell.Session;

/// <summary>A sandbox: AWS on this machine's loopback, as the session that started it sees it.</summary>
public sealed class InferloopSandbox
{
    private readonly SandboxHost host;
    private DateTimeOffset? stopped;

    internal InferloopSandbox(SandboxHost host, bool isDefault)
    {
        this.host = host;
        IsDefault = isDefault;
    }

    /// <summary>Where every service answers, in every region.</summary>
    public Uri EndpointUrl => host.Endpoint;

    /// <summary>The region used where none is named.</summary>
    public string Region => host.Options.DefaultRegion;

    /// <summary>The regions that answer.</summary>
    public IReadOnlyList<string> Regions => host.Regions;

    /// <summary>The account that the sandbox's access key belongs to.</summary>
    public string AccountId => host.AccountId;

    /// <summary>The access key id. Its secret is told by <see cref="GetEnvironmentVariables"/> and <see cref="GetCredential"/> only.</summary>
    public string AccessKey => host.AccessKeyId;

    /// <summary>Commands of this session go to it unless they say otherwise.</summary>
    public bool IsDefault { get; }

    /// <summary>It answers.</summary>
    public bool IsRunning => stopped is null;

    /// <summary>How many sandbox seconds pass in a second; 0 for a clock that only moves when it is told to.</summary>
    public double ClockRate => host.Clock.Rate;

    /// <summary>The time on the sandbox's clock.</summary>
    public DateTimeOffset ClockTime => host.Clock.Now;

    /// <summary>When it was started.</summary>
    public DateTimeOffset Started => host.Started;

    /// <summary>How long it has been running, in real time.</summary>
    public TimeSpan Uptime => (stopped ?? DateTimeOffset.UtcNow) - host.Started;

    /// <summary>How many requests it has answered.</summary>
    public long Requests => host.Statistics.Requests;

    /// <summary>How many of them with an error.</summary>
    public long RequestErrors => host.Statistics.Errors;

    /// <summary>Requests by operation, the most frequent first.</summary>
    public IReadOnlyList<InferloopSandboxOperation> Operations =>
        (List<InferloopSandboxOperation>)[.. host.Statistics.Operations.OrderByDescending(o => o.Requests).Select(o => new InferloopSandboxOperation(o.Service, o.Operation, o.Requests, o.Errors))];

    /// <summary>The faults injected into it.</summary>
    public IReadOnlyList<InferloopSandboxFault> Faults => [.. host.Faults.All.Select(fault => new InferloopSandboxFault(this, fault))];

    /// <summary>The synthetic loads on its load balancers.</summary>
    public IReadOnlyList<InferloopSandboxLoad> Loads => [.. host.Loads.All.Select(Load)];

    /// <summary>The requests it keeps in its log, oldest first.</summary>
    internal IEnumerable<InferloopSandboxRequest> RecentRequests => host.Statistics.RecentRequests.Select(Request);

    /// <summary>The services of a sandbox with their operations.</summary>
    internal static IReadOnlyDictionary<string, IReadOnlyList<string>> KnownServices => SandboxHost.KnownServices;

    /// <summary>The availability zones of every region.</summary>
    internal static IEnumerable<string> KnownZones => SandboxHost.KnownZones;

    internal string SecretKey => host.SecretAccessKey;

    internal InferloopSandboxImage PushImage(string region, string repository, string tag) => new(repository, tag, host.PushImage(region, repository, tag));

    internal void Charge(IReadOnlyList<SandboxBillLine> lines) => host.Charge(lines);

    /// <summary>The environment variables that point the aws CLI, or any AWS SDK, at the sandbox. The secret among them opens nothing but this sandbox.</summary>
    /// <returns>Names and values.</returns>
    public OrderedDictionary GetEnvironmentVariables() => new()
    {
        ["AWS_ENDPOINT_URL"] = EndpointUrl.ToString().TrimEnd('/'),
        ["AWS_ACCESS_KEY_ID"] = AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = SecretKey,
        ["AWS_REGION"] = Region,
        ["AWS_DEFAULT_REGION"] = Region,
        ["AWS_EC2_METADATA_DISABLED"] = "true",
    };

    /// <summary>The sandbox's access key as a credential, as the -Credential parameter takes it.</summary>
    /// <returns>The access key id as the user name, its secret as the password.</returns>
    public PSCredential GetCredential()
    {
        var secret = new SecureString();
        foreach (var character in SecretKey)
        {
            secret.AppendChar(character);
        }

        secret.MakeReadOnly();
        return new PSCredential(AccessKey, secret);
    }

    /// <summary>The endpoint.</summary>
    /// <returns>One line.</returns>
    public override string ToString() => EndpointUrl.ToString();

    internal InferloopSandboxFault AddFault(SandboxFaultRule rule) => new(this, host.Faults.Add(rule));

    internal InferloopSandboxLoad SetLoad(string region, string loadBalancer, SandboxLoadProfile profile) =>
        Load(host.Loads.Set(AccountId, region, loadBalancer, profile));

    /// <summary>Requests as they are answered, from now on.</summary>
    internal IAsyncEnumerable<InferloopSandboxRequest> FollowRequests(CancellationToken cancellationToken)
    {
        var followed = host.Statistics.Follow();
        return Read();

        async IAsyncEnumerable<InferloopSandboxRequest> Read()
        {
            using (followed)
            {
                await foreach (var request in followed.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                {
                    yield return Request(request);
                }
            }
        }
    }

    /// <summary>The message of an argument's error without the name of the parameter, which the framework appends.</summary>
    internal static string Plain(ArgumentException e) =>
        e.ParamName is null ? e.Message : e.Message.Replace($" (Parameter '{e.ParamName}')", "", StringComparison.Ordinal);

    private InferloopSandboxLoad Load(SandboxLoad load) => new(load, () => host.Clock.Now);

    private static InferloopSandboxRequest Request(SandboxRequest r) =>
        new(r.Time, r.SandboxTime, r.Service, r.Operation, r.Region, r.AccountId, r.Status, r.ErrorCode, r.RequestId, r.Duration, r.FaultId);

    internal bool RemoveFault(string id) => host.Faults.Remove(id);

    internal async Task StopAsync()
    {
        if (stopped is null)
        {
            stopped = DateTimeOffset.UtcNow;
            await host.DisposeAsync().ConfigureAwait(false);
        }
    }
}

/// <summary>How often the sandbox was asked for something.</summary>
/// <param name="Service">The service.</param>
/// <param name="Operation">The operation.</param>
/// <param name="Requests">How many requests.</param>
/// <param name="Errors">How many of them were answered with an error.</param>
public sealed record InferloopSandboxOperation(string Service, string Operation, long Requests, long Errors);
