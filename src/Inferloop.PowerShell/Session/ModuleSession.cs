using System.Collections.Concurrent;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using Inferloop.Aws;

namespace Inferloop.PowerShell.Session;

/// <summary>What the module remembers for one PowerShell session (runspace): nothing of it is shared with another session of the process.</summary>
internal sealed class ModuleSession
{
    // What an answer of the SDK's default chain depends on, besides what the user said: a change of it must not meet an older answer.
    private static readonly string[] Surroundings =
    [
        "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL",
        "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
    ];

    private static readonly ConcurrentDictionary<Guid, ModuleSession> Sessions = new();

    private readonly ConcurrentDictionary<(AwsConnectionOptions Options, string Surroundings), AwsSession> connections = new();
    private readonly List<InferloopSandbox> sandboxes = [];
    private readonly object gate = new();

    /// <summary>The session of the thread that asks; only on a pipeline thread.</summary>
    public static ModuleSession Current
    {
        get
        {
            var runspace = Runspace.DefaultRunspace ?? throw new PSInvalidOperationException("There is no PowerShell session on this thread.");
            return Sessions.GetOrAdd(runspace.InstanceId, id =>
            {
                runspace.StateChanged += (_, change) =>
                {
                    if (change.RunspaceStateInfo.State is RunspaceState.Closed or RunspaceState.Broken)
                    {
                        Close(id);
                    }
                };
                return new ModuleSession();
            });
        }
    }

    /// <summary>The running sandboxes, in the order they were started.</summary>
    public IReadOnlyList<InferloopSandbox> Sandboxes
    {
        get
        {
            lock (gate)
            {
                sandboxes.RemoveAll(s => !s.IsRunning);
                return [.. sandboxes];
            }
        }
    }

    /// <summary>The sandbox that stands for AWS in this session; null when AWS does.</summary>
    public InferloopSandbox? DefaultSandbox => Sandboxes.LastOrDefault(s => s.IsDefault);

    /// <summary>Ends a session: its sandboxes stop, its connections close.</summary>
    public static void CloseCurrent()
    {
        if (Runspace.DefaultRunspace is { } runspace)
        {
            Close(runspace.InstanceId);
        }
    }

    /// <summary>Takes in a sandbox that was started.</summary>
    public void Add(InferloopSandbox sandbox)
    {
        lock (gate)
        {
            sandboxes.Add(sandbox);
        }
    }

    /// <summary>The running sandbox at an endpoint; null when there is none.</summary>
    public InferloopSandbox? SandboxAt(Uri endpoint) =>
        Sandboxes.FirstOrDefault(s => Uri.Compare(s.EndpointUrl, endpoint, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0);

    /// <summary>The way to AWS that the options describe: the same one as long as nothing around it changes, so that clients are made once.</summary>
    public async Task<AwsSession> ConnectAsync(AwsConnectionOptions options, CancellationToken cancellationToken)
    {
        var key = (options, string.Join('\n', Surroundings.Select(Environment.GetEnvironmentVariable).Concat(ConfigurationFiles(options))));
        if (connections.TryGetValue(key, out var known))
        {
            return known;
        }

        var made = await AwsSession.CreateAsync(options, cancellationToken).ConfigureAwait(false);
        var kept = connections.GetOrAdd(key, made);
        if (kept != made)
        {
            made.Dispose();
        }

        return kept;
    }

    // Edited since, they may say something else.
    private static IEnumerable<string> ConfigurationFiles(AwsConnectionOptions options)
    {
        var folder = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aws");
        string?[] files =
        [
            options.ProfileLocation,
            Environment.GetEnvironmentVariable("AWS_CONFIG_FILE") ?? Path.Combine(folder, "config"),
            Environment.GetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE") ?? Path.Combine(folder, "credentials"),
        ];
        return files.OfType<string>().Select(f => File.GetLastWriteTimeUtc(f).Ticks.ToString());
    }

    private static void Close(Guid id)
    {
        if (!Sessions.TryRemove(id, out var session))
        {
            return;
        }

        foreach (var sandbox in session.Sandboxes)
        {
            sandbox.StopAsync().GetAwaiter().GetResult();
        }

        foreach (var connection in session.connections.Values)
        {
            connection.Dispose();
        }

        session.connections.Clear();
    }
}
