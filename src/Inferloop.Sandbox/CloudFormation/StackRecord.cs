using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>A resource of a stack, as it is now.</summary>
internal sealed class ResourceRecord
{
    public required string LogicalId { get; init; }

    public required string Type { get; init; }

    public string? PhysicalId { get; set; }

    /// <summary>What <c>Ref</c> gives.</summary>
    public string? Reference { get; set; }

    public IReadOnlyDictionary<string, JsonNode?> Attributes { get; set; } = ProvisionedResource.NoAttributes;

    public string Status { get; set; } = "CREATE_IN_PROGRESS";

    public string? Reason { get; set; }

    public DateTimeOffset Timestamp { get; set; }

    /// <summary>The properties it was last successfully brought to.</summary>
    public MapValue Properties { get; set; } = MapValue.Empty;

    /// <summary>The properties as events show them: secrets masked.</summary>
    public string ShownProperties { get; set; } = "{}";

    public IReadOnlyDictionary<string, string> StackTags { get; set; } = new Dictionary<string, string>();

    public JsonNode? Metadata { get; set; }

    public JsonNode? CreationPolicy { get; set; }

    public JsonNode? UpdatePolicy { get; set; }

    public string DeletionPolicy { get; set; } = "Delete";

    public string UpdateReplacePolicy { get; set; } = "Delete";

    /// <summary>The logical ids it was created after, and so is deleted before.</summary>
    public IReadOnlyList<string> DependsOn { get; set; } = [];

    /// <summary>The result of the last drift detection; null when it was never checked.</summary>
    public JsonObject? Drift { get; set; }

    public DateTimeOffset? DriftChecked { get; set; }

    public bool IsNestedStack => Type == "AWS::CloudFormation::Stack";

    public bool Exists => Status != "DELETE_COMPLETE" && Status != "DELETE_SKIPPED";

    public ResourceRecord Clone() => (ResourceRecord)MemberwiseClone();
}

/// <summary>What a stack is made from: everything an update replaces and a rollback restores.</summary>
internal sealed record StackDefinition
{
    public required Template Template { get; init; }

    /// <summary>All parameters with their values, defaults included.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<string> Capabilities { get; init; } = [];

    public IReadOnlyList<string> NotificationArns { get; init; } = [];

    public string? RoleArn { get; init; }

    public JsonObject? RollbackConfiguration { get; init; }
}

/// <summary>A stack. Its gate guards all that changes in it.</summary>
internal sealed class StackRecord
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string AccountId { get; init; }

    public required string Region { get; init; }

    public required DateTimeOffset Created { get; init; }

    public string? ParentId { get; init; }

    public string? RootId { get; init; }

    public object Gate { get; } = new();

    /// <summary>Null while the stack is only under review and never had a template.</summary>
    public StackDefinition? Definition { get; set; }

    public string Status { get; set; } = "CREATE_IN_PROGRESS";

    public string? Reason { get; set; }

    public DateTimeOffset? Updated { get; set; }

    public DateTimeOffset? Deleted { get; set; }

    public bool DisableRollback { get; set; }

    /// <summary>The DeploymentConfig of the last operation; null for the standard one.</summary>
    public JsonObject? DeploymentConfig { get; set; }

    /// <summary>The operation ends when configuration is applied, before everything is ready.</summary>
    public bool IsExpress => (string?)DeploymentConfig?["Mode"] == "EXPRESS";

    public string OnFailure { get; set; } = "ROLLBACK";

    public int? TimeoutInMinutes { get; set; }

    public bool RetainExceptOnCreate { get; set; }

    public bool TerminationProtection { get; set; }

    public string? Policy { get; set; }

    public string? ChangeSetId { get; set; }

    public string? DeletionMode { get; set; }

    public Dictionary<string, ResourceRecord> Resources { get; } = new(StringComparer.Ordinal);

    /// <summary>Resources that are no longer in the stack, for listings.</summary>
    public List<ResourceRecord> Gone { get; } = [];

    public List<StackEventRecord> Events { get; } = [];

    public Dictionary<string, ChangeSetRecord> ChangeSets { get; } = new(StringComparer.Ordinal);

    /// <summary>Nested stacks under review that a change set has prepared, by logical id.</summary>
    public Dictionary<string, string> PreparedChildren { get; } = new(StringComparer.Ordinal);

    public IReadOnlyList<EvaluatedOutput> Outputs { get; set; } = [];

    /// <summary>Names of the exports of other stacks that this one uses.</summary>
    public HashSet<string> Imports { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Request tokens and the operation each one began, so that a repeated request begins nothing.</summary>
    public Dictionary<string, string> Tokens { get; } = new(StringComparer.Ordinal);

    public string DriftStatus { get; set; } = "NOT_CHECKED";

    public DateTimeOffset? DriftChecked { get; set; }

    /// <summary>The operation under way, or the last one where it left something to continue or roll back.</summary>
    public Deployment? Deployment { get; set; }

    /// <summary>The id of the operation under way, on its events.</summary>
    public string? OperationId { get; set; }

    public string? OperationType { get; set; }

    public List<(string Type, string Id)> LastOperations { get; } = [];

    public string? ClientRequestToken { get; set; }

    public bool IsDeleted => Status == "DELETE_COMPLETE";

    public bool IsNested => ParentId is not null;

    public bool IsBusy => Status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal) && Status != "REVIEW_IN_PROGRESS";
}

/// <summary>One line of a stack's history.</summary>
internal sealed record StackEventRecord(
    string EventId,
    DateTimeOffset Timestamp,
    string LogicalId,
    string? PhysicalId,
    string ResourceType,
    string Status,
    string? Reason,
    string? Properties,
    string? Token,
    string? OperationId,
    string? OperationType)
{
    public bool IsFailure => Status.EndsWith("_FAILED", StringComparison.Ordinal);

    public JsonObject ToJson(StackRecord stack) => new()
    {
        ["StackId"] = stack.Id,
        [nameof(EventId)] = EventId,
        ["StackName"] = stack.Name,
        [nameof(OperationId)] = OperationId,
        ["LogicalResourceId"] = LogicalId,
        ["PhysicalResourceId"] = PhysicalId ?? "",
        [nameof(ResourceType)] = ResourceType,
        [nameof(Timestamp)] = Scalars.Timestamp(Timestamp),
        ["ResourceStatus"] = Status,
        ["ResourceStatusReason"] = Reason,
        ["ResourceProperties"] = Properties,
        ["ClientRequestToken"] = Token,
    };
}

/// <summary>A change set.</summary>
internal sealed class ChangeSetRecord
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Type { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required JsonObject Request { get; init; }

    public string Status { get; set; } = "CREATE_PENDING";

    public string? StatusReason { get; set; }

    public string ExecutionStatus { get; set; } = "UNAVAILABLE";

    public string? Description { get; init; }

    public bool IncludeNestedStacks { get; init; }

    public bool ImportExistingResources { get; set; }

    public string? OnStackFailure { get; init; }

    /// <summary>REVERT_DRIFT: the change set starts from what is there, not from what was deployed.</summary>
    public string? DeploymentMode { get; init; }

    /// <summary>What was not as deployed when a drift-aware change set was made, by path.</summary>
    public IReadOnlyDictionary<string, LiveState>? Live { get; set; }

    public string? ParentId { get; init; }

    public string? RootId { get; init; }

    public StackDefinition? Definition { get; set; }

    /// <summary>The changes with property values; describing without them leaves those out.</summary>
    public IReadOnlyList<JsonObject> Changes { get; set; } = [];

    /// <summary>Resources to import, by logical id.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Imports { get; set; } =
        new Dictionary<string, IReadOnlyDictionary<string, string>>();

    /// <summary>The change sets of nested stacks, by the logical id of the stack.</summary>
    public Dictionary<string, (string StackId, string ChangeSetId)> Nested { get; } = new(StringComparer.Ordinal);
}
