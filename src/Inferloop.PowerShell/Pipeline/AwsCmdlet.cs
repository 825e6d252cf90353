using System.Management.Automation;
using Inferloop.Aws;
using Inferloop.PowerShell.Completion;
using Inferloop.PowerShell.Session;

namespace Inferloop.PowerShell.Pipeline;

/// <summary>The base of cmdlets that talk to AWS: the common AWS parameters, named as in AWS.Tools, and the session they lead to.</summary>
public abstract class AwsCmdlet : InferloopCmdlet
{
    /// <summary>The region to work in, such as us-east-1.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("RegionToCall")]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Region { get; set; }

    /// <summary>The profile of the AWS configuration to take credentials from.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("StoredCredentials", "AWSProfileName")]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    [ValidateNotNullOrEmpty]
    public string? ProfileName { get; set; }

    /// <summary>The file that holds the profile, where it is not the default one.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("AWSProfilesLocation", "ProfilesLocation")]
    [ValidateNotNullOrEmpty]
    public string? ProfileLocation { get; set; }

    /// <summary>The access key id.</summary>
    [Parameter]
    [Alias("AK")]
    [ValidateNotNullOrEmpty]
    public string? AccessKey { get; set; }

    /// <summary>The secret access key. It is never shown.</summary>
    [Parameter]
    [Alias("SK", "SecretAccessKey")]
    [ValidateNotNullOrEmpty]
    public string? SecretKey { get; set; }

    /// <summary>The session token of temporary credentials. It is never shown.</summary>
    [Parameter]
    [Alias("ST")]
    [ValidateNotNullOrEmpty]
    public string? SessionToken { get; set; }

    /// <summary>Credentials as an object: what Get-AWSCredential of AWS.Tools gives, or a PSCredential of access key id and secret access key.</summary>
    [Parameter]
    [ValidateNotNull]
    public PSObject? Credential { get; set; }

    /// <summary>The endpoint that stands for AWS, such as the sandbox's.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public Uri? EndpointUrl { get; set; }

    private ModuleSession? session;
    private object? storedCredentials;
    private object? storedRegion;

    /// <summary>The user said how to reach AWS; where not, an object from the pipeline may know it better than the session's defaults.</summary>
    protected bool ConnectionIsGiven =>
        ProfileName is not null || AccessKey is not null || SecretKey is not null || Credential is not null || EndpointUrl is not null;

    /// <summary>The way to AWS for the current input object.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>A session that lives as long as the PowerShell session; it is not the cmdlet's to dispose of.</returns>
    protected Task<AwsSession> GetSessionAsync(CancellationToken cancellationToken) => GetSessionAsync(null, cancellationToken);

    /// <summary>The way to AWS for the current input object, in a region that the cmdlet knows better than the session's defaults do.</summary>
    /// <param name="region">The region; null for what the parameters and defaults say.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>A session that lives as long as the PowerShell session; it is not the cmdlet's to dispose of.</returns>
    protected Task<AwsSession> GetSessionAsync(string? region, CancellationToken cancellationToken)
    {
        var options = ConnectionOptions();
        return session!.ConnectAsync(region is null ? options : options with { Region = region }, cancellationToken);
    }

    /// <summary>
    /// What the parameters and the session say, from strong to weak: parameters; the sandbox, where it is the session's default and nothing else
    /// was named; the session defaults of AWS.Tools. What is still open, the SDK's own chain knows.
    /// </summary>
    internal AwsConnectionOptions ConnectionOptions()
    {
        var sandbox = EndpointUrl is not null ? session!.SandboxAt(EndpointUrl) : ConnectionIsGiven ? null : session!.DefaultSandbox;
        var options = new AwsConnectionOptions
        {
            Region = Region ?? sandbox?.Region ?? ForeignCredentials.Region(storedRegion),
            ProfileName = ProfileName,
            ProfileLocation = ProfileLocation,
            AccessKey = AccessKey,
            SecretKey = SecretKey,
            SessionToken = SessionToken,
            EndpointUrl = (EndpointUrl ?? sandbox?.EndpointUrl)?.ToString().TrimEnd('/'),
        };
        if (AccessKey is not null || SecretKey is not null)
        {
            return options;
        }

        if (Credential is not null)
        {
            return Credential.BaseObject is PSCredential pair
                ? options with { AccessKey = pair.UserName, SecretKey = pair.GetNetworkCredential().Password }
                : options with
                {
                    CredentialSource = ForeignCredentials.From(Credential, "given credentials")
                        ?? throw CodedErrors.Create(ErrorIds.CredentialNotUnderstood, "Credential", Credential.BaseObject.GetType().FullName),
                };
        }

        if (ProfileName is not null)
        {
            return options;
        }

        return sandbox is not null
            ? options with { AccessKey = sandbox.AccessKey, SecretKey = sandbox.SecretKey }
            : options with { CredentialSource = ForeignCredentials.From(storedCredentials, "session credentials of AWS.Tools") };
    }

    /// <summary>The region in which bills and budgets answer, for the whole account: one in each partition.</summary>
    private protected string BillingRegion() => Region?.StartsWith("cn-", StringComparison.Ordinal) == true ? "cn-northwest-1" : "us-east-1";

    /// <summary>The time where the commands go: AWS's is everyone's, a sandbox's runs ahead.</summary>
    private protected DateTimeOffset Now() =>
        (EndpointUrl is not null ? session!.SandboxAt(EndpointUrl) : ConnectionIsGiven ? null : session!.DefaultSandbox)?.ClockTime ?? DateTimeOffset.UtcNow;

    private protected override void OnBegin()
    {
        base.OnBegin();
        Secrets.Add(SecretKey);
        Secrets.Add(SessionToken);
        if (Credential?.BaseObject is PSCredential pair)
        {
            Secrets.Add(pair.GetNetworkCredential().Password);
        }

        session = ModuleSession.Current;
        storedCredentials = GetVariableValue("StoredAWSCredentials");
        storedRegion = GetVariableValue("StoredAWSRegion");
    }
}
