using System.Management.Automation;
using Amazon.CloudFormation;
using Amazon.CloudWatchLogs;
using Amazon.DynamoDBv2;
using Amazon.EC2;
using Amazon.ECS;
using Amazon.ElastiCache;
using Amazon.ElasticLoadBalancingV2;
using Amazon.KeyManagementService;
using Amazon.RDS;
using Amazon.S3;
using Inferloop.Aws;
using Inferloop.Operations;
using Inferloop.Operations.Backups;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>The base of the cmdlets that work on environments: how they reach one, and how they show what happens in it.</summary>
public abstract class EnvironmentCmdlet : AwsCmdlet
{
    /// <summary>The operations of the account and region that the parameters lead to.</summary>
    /// <param name="region">The region of what is worked on; the cmdlet's own parameter goes before it.</param>
    /// <param name="cancellationToken">Stops the search for a region and credentials.</param>
    private protected async Task<EnvironmentOperations> OpenAsync(string? region, CancellationToken cancellationToken) =>
        Operations(await GetSessionAsync(Region ?? region, cancellationToken).ConfigureAwait(false));

    /// <summary>The operations of the place that an environment came from, unless a parameter names another.</summary>
    private protected async Task<EnvironmentOperations> OpenAsync(InferloopEnvironment environment, CancellationToken cancellationToken) =>
        await OpenAsync(environment.Connection with { Region = environment.Region }, cancellationToken).ConfigureAwait(false);

    /// <summary>The operations of the place that something of an environment came from.</summary>
    private protected async Task<EnvironmentOperations> OpenAsync(EnvironmentConnection connection, CancellationToken cancellationToken) =>
        connection.Session is AwsSession session && !ConnectionIsGiven
            ? Operations(session.InRegion(connection.Region))
            : Operations(await GetSessionAsync(connection.Region, cancellationToken).ConfigureAwait(false));

    /// <summary>The operations of the place that a backup is in, and its environment.</summary>
    private protected async Task<(EnvironmentOperations Operations, InferloopEnvironment Environment)> OpenAsync(InferloopBackup backup, CancellationToken cancellationToken)
    {
        if (backup.Origin is { } origin)
        {
            return (await OpenAsync(origin, cancellationToken).ConfigureAwait(false), origin);
        }

        // One that was read from a file, or came from another session.
        var operations = await OpenAsync(backup.Region, cancellationToken).ConfigureAwait(false);
        return (operations, await ResolveAsync(operations, backup.Environment, backup.Stage, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The operations of the same account in another region.</summary>
    private protected EnvironmentOperations InRegion(EnvironmentOperations operations, string region) =>
        Operations(((AwsSession)operations.Aws.Connection.Session!).InRegion(region));

    /// <summary>The one environment of that name, and stage where several stages have it.</summary>
    private protected static async Task<InferloopEnvironment> ResolveAsync(EnvironmentOperations operations, string name, EnvironmentStage? stage, CancellationToken cancellationToken)
    {
        var found = new List<InferloopEnvironment>();
        var names = new List<string>();
        await foreach (var environment in operations.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            names.Add(environment.Name);
            if (environment.Name.Equals(name, StringComparison.OrdinalIgnoreCase) && (stage is null || environment.Stage == stage))
            {
                found.Add(environment);
            }
        }

        return found.Count switch
        {
            1 => found[0],
            0 => throw EnvironmentOperations.NotFound(name, operations.Aws.Region, names),
            _ => throw new OperationException(
                "EnvironmentAmbiguous", OperationErrorKind.InvalidArgument, $"'{name}' exists in the stages {string.Join(", ", found.Select(f => f.Stage))}.", "Say which with -Stage.", name),
        };
    }

    /// <summary>Shows an event as a line, where live events belong: on the host, beside the objects of the pipeline.</summary>
    private protected void Show(InferloopEnvironmentEvent e)
    {
        if (e.IsStack && e.Path != e.LogicalId)
        {
            // A nested stack speaks twice, for itself and as a resource of the stack around it. One line is enough.
            return;
        }

        if (e.Status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal) && e.Type != "AWS::CloudFormation::Stack")
        {
            // That a resource begins is in the progress bar; a line is worth what came of it.
            WriteVerbose(e.ToString());
            return;
        }

        WriteHost($"{e.Time:HH:mm:ss}  {e.Status,-28} {e.Path}{(e.IsRootCause ? "  <- root cause" : "")}{(e.IsFailure && e.Reason.Length > 0 ? ": " + e.Reason : "")}");
    }

    /// <summary>Whether this run only shows what it would do.</summary>
    private protected Task<bool> IsWhatIfAsync() => OnPipelineAsync(() =>
        MyInvocation.BoundParameters.TryGetValue("WhatIf", out var given) ? LanguagePrimitives.IsTrue(given) : LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference")));

    private EnvironmentOperations Operations(AwsSession session) => Operations(session, null);

    /// <summary>The operations of a session's account and region, with options of a greater operation.</summary>
    private protected EnvironmentOperations Operations(AwsSession session, EnvironmentOptions? options)
    {
        var endpoint = session.EndpointUrl is { } url ? new Uri(url) : null;
        var aws = new EnvironmentAws
        {
            CloudFormation = session.Client<IAmazonCloudFormation>(),
            S3 = session.Client<IAmazonS3>(),
            DynamoDB = session.Client<IAmazonDynamoDB>(),
            EC2 = session.Client<IAmazonEC2>(),
            ECS = session.Client<IAmazonECS>(),
            LoadBalancing = session.Client<IAmazonElasticLoadBalancingV2>(),
            Keys = session.Client<IAmazonKeyManagementService>(),
            Logs = session.Client<IAmazonCloudWatchLogs>(),
            Databases = session.Client<IAmazonRDS>(),
            Caches = session.Client<IAmazonElastiCache>(),
            AccountId = async ct => (await session.GetCallerIdentityAsync(ct).ConfigureAwait(false)).Account,
            CallerArn = async ct => (await session.GetCallerIdentityAsync(ct).ConfigureAwait(false)).Arn,
            Session = session,
            Region = session.Region,
            Partition = session.Partition,
            DnsSuffix = session.Partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com",
            Connection = new EnvironmentConnection { Region = session.Region, ProfileName = session.ProfileName, EndpointUrl = session.EndpointUrl, Session = session },
        };
        return new EnvironmentOperations(aws, options ?? EnvironmentOptions.For(endpoint) with { MaximumMonthlyCost = MonthlyLimit, Preflight = WithPreflight }, Reporter) { OnEvent = Show };
    }

    /// <summary>Whether quotas, names and zones are looked at before something is created.</summary>
    private protected virtual bool WithPreflight => false;

    /// <summary>What the environment may cost a month at most; null for no limit.</summary>
    private protected virtual decimal? MonthlyLimit => null;
}
