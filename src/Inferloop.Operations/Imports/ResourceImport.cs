using Amazon.CloudFormation.Model;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Operations.Imports;

/// <summary>
/// Lets a stack take over resources that exist, with CloudFormation's change set of type IMPORT. It serves stacks that stand alone:
/// AWS imports nothing into a nested stack, and finds by name only what a template names without a function.
/// </summary>
internal sealed class ResourceImport(EnvironmentOperations operations)
{
    private EnvironmentAws Aws => operations.Aws;

    /// <summary>Makes everything ready, up to a change set that shows what would be imported.</summary>
    /// <param name="request">What to import.</param>
    /// <param name="preview">Only to show: disposing leaves nothing behind, and the control stack is not made for it.</param>
    /// <param name="cancellation">Stops the preparation; what it made is removed.</param>
    public async Task<PreparedImport> PrepareAsync(ImportRequest request, bool preview, CancellationToken cancellation)
    {
        var name = request.StackName;
        operations.Report($"Importing into {name}", "Checking the template");
        var template = Read(request);
        CheckTemplate(request, template);
        var stack = await AtRestAsync(name, cancellation).ConfigureAwait(false);
        var held = stack is null ? [] : await operations.ResourcesAsync(stack.StackId, cancellation).ConfigureAwait(false);
        var prepared = new PreparedImport(operations, request, template, stack);
        try
        {
            var wanted = prepared.Divide(held.Where(r => r.StackId == stack!.StackId));
            if (wanted.Count > 0)
            {
                await prepared.PackageAsync(preview, cancellation).ConfigureAwait(false);
                var identifiers = new ImportIdentifiers(await SummariesAsync(prepared, cancellation).ConfigureAwait(false));
                var resources = wanted.Select(id => identifiers.Resolve(template.Resources[id], request.Resources[id])).ToList();
                foreach (var resource in resources)
                {
                    await RefuseOwnedAsync(resource, cancellation).ConfigureAwait(false);
                }

                await prepared.PrepareAsync(resources, cancellation).ConfigureAwait(false);
            }

            return prepared;
        }
        catch
        {
            await prepared.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static Template Read(ImportRequest request)
    {
        try
        {
            return request.TemplatePath is { } path ? Template.Load(path) : Template.Parse(request.TemplateBody!);
        }
        catch (TemplateException e)
        {
            throw new OperationException(
                "TemplateInvalid", OperationErrorKind.InvalidArgument, e.Message,
                $"Correct the template; Test-InferloopTemplate {request.TemplatePath} shows all of it. Nothing was imported.", request.TemplatePath, e);
        }
    }

    private static void CheckTemplate(ImportRequest request, Template template)
    {
        var where = request.TemplatePath ?? "the template";
        if (request.Resources.Keys.FirstOrDefault(id => !template.Resources.ContainsKey(id)) is { } unknown)
        {
            throw new OperationException(
                "ImportResourceUnknown", OperationErrorKind.InvalidArgument, $"There is no resource '{unknown}' in {where}.{Suggestion.For(unknown, template.Resources.Keys)}",
                $"Name resources as the template does: {string.Join(", ", template.Resources.Keys.Order(StringComparer.Ordinal).Take(20))}.", unknown);
        }

        // A policy may also be computed; then AWS decides.
        if (request.Resources.Keys.Where(id => template.Resources[id].Node["DeletionPolicy"] is null).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } bare)
        {
            throw new OperationException(
                "ImportNeedsDeletionPolicy", OperationErrorKind.InvalidArgument, $"CloudFormation imports only resources whose template says what happens to them when the stack goes; {string.Join(", ", bare)} in {where} say nothing.",
                "Give each one a DeletionPolicy in the template; Retain keeps it whatever happens to the stack.", bare[0]);
        }
    }

    /// <summary>The stack, once an import that is under way has ended; null where there is none.</summary>
    private async Task<Stack?> AtRestAsync(string name, CancellationToken cancellation)
    {
        var stack = await operations.FindStackAsync(name, cancellation).ConfigureAwait(false);
        if (stack is null)
        {
            return null;
        }

        if (name == ControlStack.Name || (stack.Tags ?? []).Exists(t => t.Key == EnvironmentTags.Environment))
        {
            throw new OperationException(
                "ImportIntoEnvironment", OperationErrorKind.InvalidArgument, $"The stack '{name}' is made and changed by this module; its next update would let an imported resource go again.",
                "Name another stack; one that does not exist is made.", name);
        }

        if (stack.StackStatus.Value.StartsWith("IMPORT_", StringComparison.Ordinal) && StackStates.IsInProgress(stack.StackStatus))
        {
            // An earlier call of this command, unwatched: it comes to its end first, and what it imported is then there.
            await operations.FollowAsync(name, stack.StackId, null, new StackProgress($"Importing into {name}", forecast: null, operations.Options.Time), cancellation).ConfigureAwait(false);
            stack = await operations.FindStackAsync(stack.StackId, cancellation).ConfigureAwait(false);
        }

        var status = stack?.StackStatus.Value ?? "REVIEW_IN_PROGRESS";
        if (StackStates.IsInProgress(status))
        {
            throw new OperationException(
                "ImportStackBusy", OperationErrorKind.Busy, $"The stack '{name}' is {status}.", "Run Import-InferloopResource again when that has ended.", name);
        }

        return StackStates.IsUpdatable(status) || status == "REVIEW_IN_PROGRESS"
            ? stack
            : throw new OperationException(
                "ImportStackState", OperationErrorKind.InvalidState, $"The stack '{name}' is {status}; in this state nothing can be imported into it.",
                status is "UPDATE_ROLLBACK_FAILED" or "UPDATE_FAILED"
                    ? $"Bring it to rest first (aws cloudformation {(status == "UPDATE_FAILED" ? "rollback-stack" : "continue-update-rollback")} --stack-name {name}), then run Import-InferloopResource again."
                    : $"Name another stack, or delete this one first (aws cloudformation delete-stack --stack-name {name}), then run Import-InferloopResource again.", name);
    }

    private async Task<IReadOnlyList<ResourceIdentifierSummary>> SummariesAsync(PreparedImport prepared, CancellationToken cancellation) =>
        (await Aws.CloudFormation.GetTemplateSummaryAsync(
            new GetTemplateSummaryRequest { TemplateBody = prepared.Package!.Body, TemplateURL = prepared.Package.Url }, cancellation).ConfigureAwait(false)).ResourceIdentifierSummaries ?? [];

    /// <summary>A resource has one stack: AWS finds that out when the import is under way, which is too late to be told well.</summary>
    private async Task RefuseOwnedAsync(ResourceToImport resource, CancellationToken cancellation)
    {
        foreach (var physicalId in resource.ResourceIdentifier.Values)
        {
            if (await StackOwners.FindAsync(Aws.CloudFormation, resource.ResourceType, physicalId, cancellation).ConfigureAwait(false) is { } owner)
            {
                throw new OperationException(
                    "ImportResourceOwned", OperationErrorKind.InvalidState, $"{physicalId} ({resource.ResourceType}) is '{owner.LogicalResourceId}' of the stack '{owner.StackName}' already; a resource has one stack.",
                    $"Let '{owner.StackName}' go of it first: take it out of its template with DeletionPolicy Retain, then run Import-InferloopResource again.", physicalId);
            }
        }
    }
}
