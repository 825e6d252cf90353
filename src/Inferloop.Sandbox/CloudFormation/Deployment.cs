using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

internal enum DeploymentKind
{
    Create,
    Update,
    Import,
}

/// <summary>What a deployment did with one resource; enough to undo it or to finish it.</summary>
internal sealed class DeploymentStep
{
    public required ResourceRecord Record { get; init; }

    /// <summary>The record before; null for a resource that was created.</summary>
    public ResourceRecord? Before { get; init; }

    public bool IsReplacement { get; set; }

    /// <summary>Changed attributes only: nothing was asked of the service.</summary>
    public bool IsAttributesOnly { get; set; }

    /// <summary>The deployment of a nested stack that existed before.</summary>
    public Deployment? Nested { get; set; }

    /// <summary>The properties an update was on the way to.</summary>
    public MapValue Target { get; set; } = MapValue.Empty;

    public bool IsRolledBack { get; set; }
}

/// <summary>
/// One pass that brings a stack to a definition: resources in dependency order and in parallel. What it did it can finish (commit: remove
/// what the new definition does not have) or undo (rollback).
/// </summary>
internal sealed partial class Deployment
{
    private readonly StackEngine engine;
    private readonly SandboxRuntime runtime;
    private readonly RequestContext context;
    private readonly SemaphoreSlim slots;
    private readonly CancellationTokenSource cancellation;
    private readonly List<DeploymentStep> steps = [];
    private readonly List<string> failedToCreate = [];
    private readonly List<string> failedToUpdate = [];
    private readonly StackDefinition? previous;
    private readonly IReadOnlyList<EvaluatedOutput> previousOutputs;
    private readonly HashSet<string> previousImports;
    private readonly HashSet<string> imports = new(StringComparer.Ordinal);
    private EvaluatedStack? target;

    public Deployment(StackEngine engine, StackRecord stack, RequestContext context, DeploymentKind kind, StackDefinition definition, Deployment? parent = null)
    {
        this.engine = engine;
        runtime = engine.Runtime;
        Stack = stack;
        Kind = kind;
        Definition = definition;
        cancellation = CancellationTokenSource.CreateLinkedTokenSource(parent?.cancellation.Token ?? runtime.Stopping);
        this.context = context.WithCancellation(cancellation.Token);
        Ended = new TaskCompletionSource(runtime.Clock.Continuations);
        slots = parent?.slots ?? new SemaphoreSlim(Math.Max(1, runtime.Options.ProvisioningParallelism));
        previous = stack.Definition;
        previousOutputs = stack.Outputs;
        previousImports = stack.Imports;
        stack.Deployment = this;
        stack.Definition = definition;
    }

    public StackRecord Stack { get; }

    public DeploymentKind Kind { get; }

    public StackDefinition Definition { get; }

    /// <summary>Identifiers of existing resources to be taken in, by logical id.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Imports { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, string>>();

    /// <summary>The policy this update is held to; null when the stack has none.</summary>
    public StackPolicy? Policy { get; init; }

    /// <summary>Set when someone cancelled: an update's cancellation, or the deletion of a stack being created.</summary>
    public string? CancelReason { get; private set; }

    /// <summary>Completes when the work has ended, whichever way.</summary>
    public TaskCompletionSource Ended { get; }

    /// <summary>Why it failed, in CloudFormation's words: the resources that failed.</summary>
    public string FailureReason
    {
        get
        {
            if (fatal is not null)
            {
                return fatal;
            }
            lock (Stack.Gate)
            {
                var verb = Kind == DeploymentKind.Import ? "import" : "create";
                var text = failedToCreate.Count > 0 ? $"The following resource(s) failed to {verb}: [{string.Join(", ", failedToCreate)}]. " : "";
                return failedToUpdate.Count > 0 ? text + $"The following resource(s) failed to update: [{string.Join(", ", failedToUpdate)}]. " : text;
            }
        }
    }

    private string? fatal;

    public void Cancel(string reason)
    {
        CancelReason ??= reason;
        cancellation.Cancel();
    }

    /// <summary>Brings every resource to the definition; says whether all of them got there.</summary>
    public async Task<bool> ApplyAsync()
    {
        try
        {
            target = await engine.EvaluateAsync(context, Stack, Stack.Name, Definition, nested: null, imports).ConfigureAwait(false);
            if (imports.FirstOrDefault(name => engine.Store(Stack).FindExport(name) is null) is { } missing)
            {
                fatal = $"No export named {missing} found.";
                return false;
            }
        }
        catch (TemplateException e)
        {
            fatal = TemplateFaults.Message(e, Definition.Template);
            return false;
        }
        Stack.Imports = [.. imports, .. previousImports];
        var running = new List<Task<bool>>();
        var ends = new Dictionary<string, Signal>(StringComparer.Ordinal);
        foreach (var resource in target.Resources)
        {
            // In dependency order: what a resource waits for has been started before it.
            var waits = resource.DependsOn.Where(ends.ContainsKey).Select(name => ends[name]).ToArray();
            var end = ends[resource.LogicalId] = new Signal(runtime.Clock);
            running.Add(end.FollowAsync(() => ProvisionAsync(resource, waits)));
        }
        var results = await Task.WhenAll(running).ConfigureAwait(false);
        if (Array.TrueForAll(results, static done => done) && !cancellation.IsCancellationRequested)
        {
            return FinishOutputs();
        }
        return false;
    }

    private bool FinishOutputs()
    {
        IReadOnlyDictionary<string, EvaluatedOutput> outputs;
        try
        {
            outputs = target!.EvaluateOutputs(new StackValues(Stack, engine.Store(Stack)));
        }
        catch (TemplateException e)
        {
            fatal = TemplateFaults.Message(e, Definition.Template);
            return false;
        }
        if (outputs.Values.FirstOrDefault(output => !output.Value.IsKnown) is { } unknown)
        {
            fatal = $"Unable to fetch the value of output {unknown.Name}: its attribute is not provided by the sandbox ({unknown.Value})";
            return false;
        }
        if (ExportConflict(outputs) is { } conflict)
        {
            fatal = conflict;
            return false;
        }
        lock (Stack.Gate)
        {
            Stack.Outputs = [.. outputs.Values];
            Stack.Imports = imports;
        }
        return true;
    }

    private string? ExportConflict(IReadOnlyDictionary<string, EvaluatedOutput> outputs)
    {
        var store = engine.Store(Stack);
        var exported = new HashSet<string>(StringComparer.Ordinal);
        foreach (var output in outputs.Values.Where(output => output.ExportName is not null))
        {
            if (!exported.Add(output.ExportName!))
            {
                return $"Duplicate Export names. More than one output has been given the Export name {output.ExportName}.";
            }
            if (store.FindExport(output.ExportName!) is { } existing && !ReferenceEquals(existing.Stack, Stack))
            {
                return $"Export with name {output.ExportName} is already exported by stack {existing.Stack.Name}. Rollback requested by user.";
            }
        }
        foreach (var old in previousOutputs.Where(output => output.ExportName is not null))
        {
            var users = store.Importers(old.ExportName!).Where(user => !ReferenceEquals(user, Stack)).Select(user => user.Name).ToList();
            if (users.Count == 0)
            {
                continue;
            }
            var now = outputs.Values.FirstOrDefault(output => output.ExportName == old.ExportName);
            if (now is null)
            {
                return $"Export {old.ExportName} cannot be deleted as it is in use by {string.Join(" and ", users)}";
            }
            if (now.Value.AsString() != old.Value.AsString())
            {
                return $"Export {old.ExportName} cannot be updated as it is in use by {string.Join(" and ", users)}";
            }
        }
        return null;
    }

    private async Task<bool> ProvisionAsync(EvaluatedResource resource, Signal[] waits)
    {
        // Off the loop that starts everything: the first resources may run to their end without ever waiting.
        await runtime.Clock.YieldAsync().ConfigureAwait(false);
        foreach (var wait in waits)
        {
            if (!await wait.WaitAsync().ConfigureAwait(false))
            {
                return false;
            }
        }
        if (cancellation.IsCancellationRequested)
        {
            return false;
        }
        try
        {
            return resource.Type == "AWS::CloudFormation::Stack"
                ? await ProvisionNestedAsync(resource).ConfigureAwait(false)
                : await ProvisionWithSlotAsync(resource).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A defect of a provider or of this engine; the stack has to end in a state all the same.
            runtime.Report(e);
            Fail(resource.LogicalId, Stack.Resources.GetValueOrDefault(resource.LogicalId), $"Internal Failure: {e.Message}");
            return false;
        }
    }

    private async Task<bool> ProvisionWithSlotAsync(EvaluatedResource resource)
    {
        await slots.WaitAsync(cancellation.Token).ConfigureAwait(false);
        try
        {
            ResourceRecord? existing;
            lock (Stack.Gate)
            {
                existing = Stack.Resources.GetValueOrDefault(resource.LogicalId);
            }
            if (existing is { Status: "CREATE_FAILED" })
            {
                // Left by a failed attempt that was not rolled back: what there is of it goes first.
                await DeletePhysicalAsync(existing, existing.PhysicalId, snapshot: false, context).ConfigureAwait(false);
                existing = null;
            }
            var properties = Evaluate(resource, out var reason);
            if (properties is null)
            {
                Fail(resource.LogicalId, existing ?? NewRecord(resource, MapValue.Empty), reason!);
                return false;
            }
            return existing is null
                ? await CreateAsync(resource, properties).ConfigureAwait(false)
                : await UpdateAsync(resource, existing, properties).ConfigureAwait(false);
        }
        finally
        {
            slots.Release();
        }
    }

    /// <summary>A resource's properties with the ids and attributes that are known by now; a reason where that is not all it needs.</summary>
    private MapValue? Evaluate(EvaluatedResource resource, out string? reason)
    {
        reason = null;
        try
        {
            var properties = target!.EvaluateProperties(resource.LogicalId, new StackValues(Stack, engine.Store(Stack)));
            if (properties.IsKnown)
            {
                return properties;
            }
            reason = $"Unable to resolve {FirstUnknown(properties)} for {resource.LogicalId}: the sandbox does not provide this attribute";
        }
        catch (TemplateException e)
        {
            reason = TemplateFaults.Message(e, Definition.Template);
        }
        return null;
    }

    private static string FirstUnknown(Value value) => value is UnknownValue unknown
        ? string.Join(", ", unknown.Sources)
        : value.Items.Concat((value as MapValue)?.Entries.Select(entry => entry.Value) ?? [])
            .Where(item => !item.IsKnown).Select(FirstUnknown).FirstOrDefault() ?? "a value";

    private ResourceRecord NewRecord(EvaluatedResource resource, MapValue properties)
    {
        var record = new ResourceRecord
        {
            LogicalId = resource.LogicalId,
            Type = resource.Type,
            Timestamp = runtime.Clock.Now,
        };
        Describe(record, resource, properties);
        lock (Stack.Gate)
        {
            Stack.Resources[resource.LogicalId] = record;
        }
        return record;
    }

    private void Describe(ResourceRecord record, EvaluatedResource resource, MapValue properties)
    {
        record.Properties = properties;
        record.ShownProperties = ValueRendering.Text(ValueRendering.Shown(properties));
        record.Metadata = resource.Metadata?.ToJson();
        record.CreationPolicy = resource.CreationPolicy?.ToJson();
        record.UpdatePolicy = resource.UpdatePolicy?.ToJson();
        record.DeletionPolicy = resource.DeletionPolicy;
        record.UpdateReplacePolicy = resource.UpdateReplacePolicy;
        record.DependsOn = resource.DependsOn;
        record.StackTags = StackEngine.ResourceTags(Stack, Definition, resource.LogicalId);
    }

    /// <summary>Marks a resource as failed and stops everything else under way.</summary>
    private void Fail(string logicalId, ResourceRecord? record, string reason)
    {
        bool creating;
        lock (Stack.Gate)
        {
            creating = record is null || record.Status.StartsWith("CREATE", StringComparison.Ordinal) || record.Status.StartsWith("IMPORT", StringComparison.Ordinal);
            (creating ? failedToCreate : failedToUpdate).Add(logicalId);
        }
        if (record is not null)
        {
            engine.SetStatus(Stack, record, Kind == DeploymentKind.Import && creating ? "IMPORT_FAILED" : creating ? "CREATE_FAILED" : "UPDATE_FAILED", reason);
        }
        cancellation.Cancel();
    }

    /// <summary>Marks a resource whose work was cut short because another failed or someone cancelled.</summary>
    private void FailCancelled(ResourceRecord record)
    {
        var creating = record.Status.StartsWith("CREATE", StringComparison.Ordinal);
        lock (Stack.Gate)
        {
            (creating ? failedToCreate : failedToUpdate).Add(record.LogicalId);
        }
        engine.SetStatus(Stack, record, creating ? "CREATE_FAILED" : "UPDATE_FAILED", creating ? "Resource creation cancelled" : "Resource update cancelled");
    }

    private void Add(DeploymentStep step)
    {
        lock (steps)
        {
            steps.Add(step);
        }
    }

    private List<DeploymentStep> Steps()
    {
        lock (steps)
        {
            return [.. steps];
        }
    }

    private ProvisionContext ContextFor(ResourceRecord record, RequestContext request, string operation, Action<string>? initiated = null, bool snapshot = false) => new()
    {
        Request = request,
        StackName = Stack.Name,
        StackId = Stack.Id,
        LogicalId = record.LogicalId,
        ClientToken = $"{operation}-{record.LogicalId}-{Stack.OperationId}",
        StackTags = record.StackTags,
        TakeSnapshot = snapshot,
        OnInitiated = initiated ?? (static _ => { }),
        EndsEarly = Stack.IsExpress && operation != "delete" && ReadyLater.Contains(record.Type),
        ReadAttributes = Stack.IsExpress && target is not null ? [.. ReadAttributes(record.LogicalId)] : [],
        CreationPolicy = record.CreationPolicy?.DeepClone(),
        UpdatePolicy = record.UpdatePolicy?.DeepClone(),
        Metadata = record.Metadata?.DeepClone(),
    };

    private static JsonObject Json(MapValue properties) => properties.ToJsonObject();
}
