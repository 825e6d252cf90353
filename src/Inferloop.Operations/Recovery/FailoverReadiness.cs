using Amazon.ECR;
using Amazon.ECR.Model;
using Amazon.Runtime;
using Amazon.SecretsManager;
using Amazon.SecretsManager.Model;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery;

/// <summary>Looks whether an environment could fail over now, and touches nothing.</summary>
internal sealed class FailoverReadiness(FailoverContext context, bool sourceAnswers)
{
    /// <summary>A rehearsal each month, as the operators' calendar has it.</summary>
    private static readonly TimeSpan RehearsalAge = TimeSpan.FromDays(31);

    private readonly List<InferloopPreflightFinding> findings = [];

    private InferloopEnvironment Standby => context.Standby;

    private string To => context.Run.Current.ToRegion;

    private string From => context.Run.Current.FromRegion;

    public async Task<InferloopFailoverReadiness> ReadAsync(IReadOnlyList<InferloopFailover> history, CancellationToken cancellation)
    {
        var source = sourceAnswers ? await context.Source.RefreshAsync(Standby.StackName, withHealth: false, cancellation).ConfigureAwait(false) : null;
        if (!sourceAnswers)
        {
            Add(PreflightSeverity.Warning, PreflightCheck.Region, From, "It does not answer. What only it knows was not looked at.", $"If it is lost: Invoke-InferloopFailover {Standby.Name} -Stage {Standby.Stage} -ToRegion {To} -Mode Ungraceful");
        }
        else if (source is null)
        {
            Add(PreflightSeverity.Error, PreflightCheck.Standby, From, $"There is no stack {Standby.StackName} in it.", $"Look with Get-InferloopEnvironment -Region {From}.");
        }

        StackState();
        var stores = await RecoveryMeter.MeasureAsync(context, source is not null, cancellation).ConfigureAwait(false);
        Replication(stores);
        await SecretsAsync(cancellation).ConfigureAwait(false);
        await ImagesAsync(cancellation).ConfigureAwait(false);
        if (source is not null)
        {
            InStep(source);
        }

        await OfferedAsync(cancellation).ConfigureAwait(false);
        Rehearsed(history);
        var plan = context.Run.Current.Steps;
        var rto = CriticalPath.Length(plan);
        Add(
            rto > FailoverObjectives.Rto ? PreflightSeverity.Error : PreflightSeverity.Passed, PreflightCheck.Standby, "RTO",
            FormattableString.Invariant($"{rto:hh\\:mm\\:ss} expected along {string.Join(", ", plan.Where(s => s.IsCritical).Select(s => s.Name))}; the objective is {FailoverObjectives.Rto:hh\\:mm\\:ss}."),
            rto > FailoverObjectives.Rto ? "A standby that has more ready is quicker: New-InferloopStandby -Mode PilotLight or Warm." : "");
        return new InferloopFailoverReadiness
        {
            Environment = Standby.Name, Stage = Standby.Stage, FromRegion = From, ToRegion = To, StandbyMode = Standby.Spec.Recovery.StandbyMode,
            ExpectedRto = rto, ExpectedRpo = stores.Max(s => s.Lag), Stores = stores, Plan = plan, LastRehearsal = history.Count > 0 ? history[0].Started : null,
            Findings = findings.OrderByDescending(f => f.Severity).ToArray(), Connection = Standby.Connection,
        };
    }

    private void StackState()
    {
        var verdict = StateRules.For(EnvironmentCommand.Set, Standby.Status);
        Add(
            verdict == StateVerdict.Go ? PreflightSeverity.Passed : PreflightSeverity.Error, PreflightCheck.Standby, Standby.StackName, $"The standby's stack is {Standby.Status}.",
            verdict == StateVerdict.Go ? "" : StackStates.Guidance(Standby.Name, Standby.Status));
    }

    private void Replication(IReadOnlyList<InferloopRecoveryStore> stores)
    {
        foreach (var store in stores)
        {
            var late = store.Lag > FailoverObjectives.Rpo;
            var lacks = store.Lag is null && store.By is "nothing" or "copied backups" || (store.Name == FailoverStepNames.Database && store.Lag is null);
            Add(
                late || lacks ? PreflightSeverity.Error : store.Lag is null ? PreflightSeverity.Information : PreflightSeverity.Passed, PreflightCheck.Replication, store.Name,
                store.Lag is { } lag ? FormattableString.Invariant($"{lag.TotalSeconds:0} s behind by {store.By} ({store.Source}); the objective is {FailoverObjectives.Rpo.TotalMinutes:0} minutes.") : $"By {store.By}: {store.Source}.",
                late ? $"Find out what holds the replication up (Get-InferloopAlarm {Standby.Name}); a failover now needs -MaximumDataLoss." : lacks ? $"Bring the standby up to date: Get-InferloopEnvironment {Standby.Name} -Region {From} | New-InferloopStandby" : "");
        }
    }

    private async Task SecretsAsync(CancellationToken cancellation)
    {
        var client = context.Target.Aws.Client<IAmazonSecretsManager>();
        foreach (var arn in Steps.SecretsStep.ArnsOf(context))
        {
            var name = arn[(arn.LastIndexOf(':') + 1)..];
            try
            {
                await client.DescribeSecretAsync(new DescribeSecretRequest { SecretId = arn }, cancellation).ConfigureAwait(false);
                Add(PreflightSeverity.Passed, PreflightCheck.Replication, name, $"The secret is in {To}.", "");
            }
            catch (AmazonServiceException e) when (e.ErrorCode == "ResourceNotFoundException")
            {
                Add(PreflightSeverity.Error, PreflightCheck.Replication, name, $"The secret is not in {To}.", $"Let it be replicated: Get-InferloopEnvironment {Standby.Name} -Region {From} | New-InferloopStandby");
            }
        }
    }

    private async Task ImagesAsync(CancellationToken cancellation)
    {
        foreach (var image in new[] { Standby.Spec.Ecs.EcsEnabled ? Standby.Spec.Application.ContainerImage : "", Standby.Spec.Lambda.LambdaEnabled ? Standby.Spec.Lambda.LambdaImage : "" })
        {
            if (!image.Contains($".dkr.ecr.{To}.", StringComparison.Ordinal))
            {
                continue;
            }

            var rest = image[(image.IndexOf('/', StringComparison.Ordinal) + 1)..];
            var at = rest.IndexOfAny(['@', ':']);
            var (repository, label) = at < 0 ? (rest, "latest") : (rest[..at], rest[(at + 1)..]);
            try
            {
                await context.Target.Aws.Client<IAmazonECR>().DescribeImagesAsync(
                    new DescribeImagesRequest
                    {
                        RegistryId = image.Split('.')[0], RepositoryName = repository,
                        ImageIds = [rest.Contains('@', StringComparison.Ordinal) ? new ImageIdentifier { ImageDigest = label } : new ImageIdentifier { ImageTag = label }],
                    },
                    cancellation).ConfigureAwait(false);
                Add(PreflightSeverity.Passed, PreflightCheck.Image, repository, $"{label} is in {To}.", "");
            }
            catch (AmazonServiceException e) when (e.ErrorCode is "ImageNotFoundException" or "RepositoryNotFoundException")
            {
                Add(PreflightSeverity.Error, PreflightCheck.Image, repository, $"{label} is not in {To}: no task could start.", "ECR replicates only what is pushed after its rule: push the image again, then look again.");
            }
        }
    }

    /// <summary>What the standby would be by the primary of now: what differs was changed since, in one of them.</summary>
    private void InStep(InferloopEnvironment source)
    {
        var wanted = StandbySpecs.ForStandby(source.Spec with { Region = From, RecoveryRegion = To }, source.Outputs);
        var differing = SpecMembers.All.Where(m => !m.Name.Contains("Arn", StringComparison.Ordinal) && m.Section != "recovery" && !Equals(m.Get(wanted), m.Get(Standby.Spec))).Select(m => m.Name).ToList();
        Add(
            differing.Count == 0 ? PreflightSeverity.Passed : PreflightSeverity.Warning, PreflightCheck.Standby, "spec",
            differing.Count == 0 ? "The standby has the spec of the primary." : $"The standby differs from the primary in {string.Join(", ", differing)}.",
            differing.Count == 0 ? "" : $"Bring it up to date: Get-InferloopEnvironment {Standby.Name} -Region {From} | New-InferloopStandby");
    }

    private async Task OfferedAsync(CancellationToken cancellation)
    {
        var active = Standby.Spec with { Recovery = Standby.Spec.Recovery with { RegionRole = RegionRole.Primary } };
        var plan = await EnvironmentPlan.MakeAsync(active, Standby.AccountId, context.Target.Aws.Partition, context.Target.Options, cancellation).ConfigureAwait(false);
        var existing = (await context.Target.ResourcesAsync(Standby.StackId, cancellation).ConfigureAwait(false)).Select(r => r.Path).ToHashSet(StringComparer.Ordinal);
        findings.AddRange((await Preflight.RunAsync(context.Target.Aws, plan, existing, thorough: false, cancellation).ConfigureAwait(false)).Where(f => f.Severity >= PreflightSeverity.Warning && f.Check != PreflightCheck.Template));
    }

    private void Rehearsed(IReadOnlyList<InferloopFailover> history)
    {
        var last = history.Count > 0 ? history[0] : null;
        var old = last is null || context.Run.Now - last.Started > RehearsalAge;
        Add(
            old ? PreflightSeverity.Warning : PreflightSeverity.Passed, PreflightCheck.Rehearsal, "rehearsal",
            last is null ? "It was never rehearsed." : $"Last on {last.Started.UtcDateTime:yyyy-MM-dd}: {last.State}{(last.Rto is { } rto ? FormattableString.Invariant($" in {rto:hh\\:mm\\:ss}") : "")}.",
            old ? $"Get-InferloopEnvironment {Standby.Name} -Region {From} | Invoke-InferloopFailover -Rehearse" : "");
    }

    private void Add(PreflightSeverity severity, PreflightCheck check, string subject, string message, string remedy) =>
        findings.Add(new InferloopPreflightFinding { Severity = severity, Check = check, Subject = subject, Message = message, Remedy = remedy });
}
