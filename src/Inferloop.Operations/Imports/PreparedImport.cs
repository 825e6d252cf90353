using System.Text;
using Amazon.CloudFormation.Model;
using Amazon.Runtime;
using Inferloop.Operations.Environments;
using Inferloop.Templates;

namespace Inferloop.Operations.Imports;

/// <summary>An import whose change set is made. It is carried out, or discarded without a trace.</summary>
internal sealed class PreparedImport(EnvironmentOperations operations, ImportRequest request, Template template, Stack? stack) : IAsyncDisposable
{
    private readonly string token = Guid.NewGuid().ToString("N")[..12];
    private readonly bool isNew = stack is null;
    private readonly Dictionary<string, string> present = new(StringComparer.Ordinal);
    private IReadOnlyList<ResourceToImport> resources = [];
    private ControlPlane? control;
    private bool preview;
    private string? stackId = stack?.StackId;
    private string? changeSetId;
    private bool executed;

    /// <summary>The template as it is sent.</summary>
    public PackagedTemplate? Package { get; private set; }

    /// <summary>All of it is in the stack already.</summary>
    public bool Empty => resources.Count == 0;

    /// <summary>What the import does, as a question or a preview says it.</summary>
    public string Summary => $"Import {string.Join(", ", resources.Select(r => $"{r.LogicalResourceId} ({r.ResourceType} {Text(r)})"))}";

    private EnvironmentAws Aws => operations.Aws;

    private string Name => request.StackName;

    private string Doing => $"Importing into {Name}";

    /// <summary>The logical ids that are left to import, when what the stack has already is taken off.</summary>
    public IReadOnlyList<string> Divide(IEnumerable<DeployedResource> held)
    {
        foreach (var resource in held.Where(r => request.Resources.ContainsKey(r.LogicalId) && r.Status != "DELETE_COMPLETE"))
        {
            if (!request.Resources[resource.LogicalId].Names(resource.PhysicalId))
            {
                throw new OperationException(
                    "ImportNameTaken", OperationErrorKind.AlreadyExists, $"The stack '{Name}' has a resource '{resource.LogicalId}' already, and it is another one: {resource.PhysicalId}.",
                    "Give the resource to import another name in the template.", resource.LogicalId);
            }

            present[resource.LogicalId] = resource.PhysicalId;
        }

        return request.Resources.Keys.Where(id => !present.ContainsKey(id)).Order(StringComparer.Ordinal).ToList();
    }

    /// <summary>Makes a template ready to send: a long one, and the ones it nests, lie in the control stack's bucket.</summary>
    public async Task PackageAsync(bool forPreview, CancellationToken cancellation)
    {
        preview = forPreview;
        if (request.TemplatePath is null || (Encoding.UTF8.GetByteCount(template.Text) <= TemplatePackager.BodyLimit && !TemplatePackager.NestedNames(template.Text).Any()))
        {
            Package = new PackagedTemplate(template.Text, null, []);
            return;
        }

        var stand = new ControlStack(Aws, operations.Options, operations.Reporter);
        control = preview ? await stand.FindAsync(cancellation).ConfigureAwait(false) : await stand.EnsureAsync(cancellation).ConfigureAwait(false);
        if (control is null)
        {
            throw new OperationException(
                "ImportPreviewNeedsControl", OperationErrorKind.InvalidState, $"The template is longer than CloudFormation takes in a request, or nests others; it would lie in the bucket of the stack {ControlStack.Name}, which does not exist, and a preview creates nothing.",
                "Run the command without -WhatIf, or name templates that lie in S3 already.", request.TemplatePath);
        }

        Package = await new TemplatePackager(Aws.S3, control.Bucket, Aws.Region, Aws.DnsSuffix)
            .PackageAsync(request.TemplatePath, preview ? $"preview/{token}/" : TemplatePackager.Shared, cancellation).ConfigureAwait(false);
    }

    /// <summary>Makes the change set.</summary>
    public async Task PrepareAsync(IReadOnlyList<ResourceToImport> toImport, CancellationToken cancellation)
    {
        resources = toImport;
        operations.Report(Doing, "Making the change set");
        var answer = await Aws.CloudFormation.CreateChangeSetAsync(
            new CreateChangeSetRequest
            {
                StackName = stackId ?? Name,
                ChangeSetName = $"inferloop-import-{token}",
                ClientToken = token,
                ChangeSetType = "IMPORT",
                Description = $"Import by {operations.Options.Operator.Name}",
                TemplateBody = Package!.Body,
                TemplateURL = Package.Url,
                Parameters = Parameters(),
                // An import makes nothing, so there is nothing to acknowledge the power of.
                Capabilities = EnvironmentOperations.Capabilities,
                ResourcesToImport = [.. toImport],
            },
            cancellation).ConfigureAwait(false);
        changeSetId = answer.Id;
        stackId = answer.StackId;
        var reader = new ChangeSetReader(Aws.CloudFormation, operations.Options);
        if (!await reader.WaitAsync(changeSetId, Name, cancellation).ConfigureAwait(false))
        {
            throw new OperationException("ImportEmpty", OperationErrorKind.InvalidState, $"CloudFormation finds nothing to import into '{Name}'.", "Name resources that the template adds to the stack; a condition may leave them out.", Name);
        }

        var changes = await reader.ReadAsync(changeSetId, cancellation).ConfigureAwait(false);
        if (changes.FirstOrDefault(c => c.Action != EnvironmentChangeAction.Import) is { } other)
        {
            throw new OperationException(
                "ImportChangesMore", OperationErrorKind.InvalidState, $"The template would change more than it imports: {other.Action} {other.Path} ({other.Type}). Nothing was imported.",
                "Give the template that the stack has, with only the imported resources added.", other.Path);
        }
    }

    /// <summary>What would be imported, and what is there already.</summary>
    public IReadOnlyList<InferloopImportedResource> Planned() => Describe(ImportState.Planned, new Dictionary<string, string>(), new Dictionary<string, InferloopDrift>());

    /// <summary>Carries the import out, follows it to its end, and looks whether each resource is as the template says.</summary>
    public async Task<IReadOnlyList<InferloopImportedResource>> ExecuteAsync(CancellationToken cancellation)
    {
        var mark = await StackEventStream.MarkAsync(Aws.CloudFormation, stackId!, cancellation).ConfigureAwait(false);
        await Aws.CloudFormation.ExecuteChangeSetAsync(new ExecuteChangeSetRequest { ChangeSetName = changeSetId, ClientRequestToken = token }, cancellation).ConfigureAwait(false);
        executed = true;
        try
        {
            var progress = new StackProgress(Doing, forecast: null, operations.Options.Time);
            var end = await operations.FollowAsync(Name, stackId!, mark, progress, cancellation).ConfigureAwait(false);
            if (end.Status != "IMPORT_COMPLETE")
            {
                throw await FailedAsync(end, cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            operations.Warn($"The import into '{Name}' goes on in AWS. Run the same Import-InferloopResource again to follow it and to see what came of it.");
            throw;
        }

        return await ReadAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>The resources as they are in the stack, each with its drift.</summary>
    public async Task<IReadOnlyList<InferloopImportedResource>> ReadAsync(CancellationToken cancellation)
    {
        operations.Report(Doing, "Comparing with the template");
        var held = (await operations.ResourcesAsync(stackId!, cancellation).ConfigureAwait(false)).Where(r => r.StackId == stackId).ToDictionary(r => r.LogicalId, r => r.PhysicalId, StringComparer.Ordinal);
        var drifts = new Dictionary<string, InferloopDrift>(StringComparer.Ordinal);
        foreach (var id in request.Resources.Keys)
        {
            if (await DriftAsync(id, cancellation).ConfigureAwait(false) is { } drift)
            {
                drifts[id] = drift;
            }
        }

        operations.Reporter.Progress(new OperationProgress(Doing, "", 100, Completed: true));
        return Describe(ImportState.Imported, held, drifts);
    }

    public async ValueTask DisposeAsync()
    {
        if (executed)
        {
            return;
        }

        try
        {
            await DiscardAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or OperationCanceledException)
        {
            // What ended the import is on its way to the user; this must not take its place.
            operations.Warn($"The preparation of the import into '{Name}' could not be taken back ({e.Message}). It changed nothing; its change set is {changeSetId}.");
        }
    }

    private static string Text(ResourceToImport resource) => string.Join(", ", resource.ResourceIdentifier.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={p.Value}"));

    private List<Parameter> Parameters()
    {
        if (request.Parameters.Keys.FirstOrDefault(p => !template.Parameters.ContainsKey(p)) is { } unknown)
        {
            throw new OperationException(
                "ImportParameterUnknown", OperationErrorKind.InvalidArgument, $"The template has no parameter '{unknown}'.{Suggestion.For(unknown, template.Parameters.Keys)}",
                template.Parameters.Count == 0 ? "Leave -Parameter out." : $"It has {string.Join(", ", template.Parameters.Keys.Order(StringComparer.Ordinal))}.", unknown);
        }

        var before = (stack?.Parameters ?? []).Select(p => p.ParameterKey).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. EnvironmentOperations.ParametersOf(request.Parameters),
            .. template.Parameters.Keys.Where(p => before.Contains(p) && !request.Parameters.ContainsKey(p)).Select(p => new Parameter { ParameterKey = p, UsePreviousValue = true }),
        ];
    }

    private List<InferloopImportedResource> Describe(ImportState state, IReadOnlyDictionary<string, string> held, IReadOnlyDictionary<string, InferloopDrift> drifts) =>
        request.Resources.Keys.Order(StringComparer.Ordinal).Select(id =>
        {
            var imported = resources.FirstOrDefault(r => r.LogicalResourceId == id);
            var drift = drifts.GetValueOrDefault(id);
            return new InferloopImportedResource
            {
                StackName = Name,
                StackId = isNew && state == ImportState.Planned ? "" : stackId ?? "",
                Region = Aws.Region,
                LogicalId = id,
                Type = template.Resources[id].Type,
                Identifier = imported is null ? request.Resources[id].ToString() : Text(imported),
                PhysicalId = held.GetValueOrDefault(id) ?? present.GetValueOrDefault(id) ?? "",
                State = imported is null ? ImportState.AlreadyThere : state,
                Drift = drift?.Status ?? DriftStatus.NotChecked,
                Differences = drift?.Properties ?? [],
            };
        }).ToList();

    private async Task<InferloopDrift?> DriftAsync(string logicalId, CancellationToken cancellation)
    {
        try
        {
            var answer = await Aws.CloudFormation.DetectStackResourceDriftAsync(new DetectStackResourceDriftRequest { StackName = stackId, LogicalResourceId = logicalId }, cancellation).ConfigureAwait(false);
            return DriftReader.Convert(Name, "", answer.StackResourceDrift);
        }
        catch (AmazonServiceException e) when (!AwsFaults.IsPassing(e))
        {
            // The import stands; that a type cannot be compared, or may not be, is no failure of it.
            operations.Reporter.Verbose($"The drift of '{logicalId}' is not known: {e.Message}");
            return null;
        }
    }

    private async Task<OperationException> FailedAsync(StackEnd end, CancellationToken cancellation)
    {
        var cause = RootCause.Find(end.Events);
        var why = (cause is not null ? $"{cause.Path} ({cause.Type}): {cause.Reason}" : end.Reason).TrimEnd('.', ' ');
        var left = $"The stack is {end.Status}.";
        if (isNew && end.Status == "IMPORT_ROLLBACK_COMPLETE")
        {
            // A stack that was made for this and that holds nothing would only stand in the way of the next try.
            await Aws.CloudFormation.DeleteStackAsync(new DeleteStackRequest { StackName = stackId }, cancellation).ConfigureAwait(false);
            left = "The resources are untouched, and the empty stack is deleted.";
        }

        return new OperationException(
            "ImportFailed", OperationErrorKind.OperationFailed, $"Importing into '{Name}' failed. {why}. {left}",
            "Correct what the reason names, then run Import-InferloopResource again.", Name);
    }

    private async Task DeleteChangeSetAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await Aws.CloudFormation.DeleteChangeSetAsync(new DeleteChangeSetRequest { ChangeSetName = changeSetId }, cancellation).ConfigureAwait(false);
                return;
            }
            catch (AmazonServiceException e) when (e.ErrorCode is "InvalidChangeSetStatus" or "InvalidChangeSetStatusException")
            {
                // Stopped while CloudFormation still makes it.
                await Task.Delay(operations.Options.PollMinimum, operations.Options.Time, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task DiscardAsync()
    {
        // Also after Ctrl-C, so with a token of its own; bounded, because a host does not wait for ever.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        if (changeSetId is not null)
        {
            await DeleteChangeSetAsync(limit.Token).ConfigureAwait(false);
            if (isNew && await operations.FindStackAsync(stackId!, limit.Token).ConfigureAwait(false) is { } made && made.StackStatus == "REVIEW_IN_PROGRESS")
            {
                await Aws.CloudFormation.DeleteStackAsync(new DeleteStackRequest { StackName = stackId }, limit.Token).ConfigureAwait(false);
            }
        }

        if (preview && Package is { Uploaded.Count: > 0 })
        {
            await new TemplatePackager(Aws.S3, control!.Bucket, Aws.Region, Aws.DnsSuffix).RemoveAsync(Package.Uploaded, limit.Token).ConfigureAwait(false);
        }
    }
}
