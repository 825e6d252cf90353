namespace Inferloop.Operations.Environments;

/// <summary>CloudFormation's stack states and what can be done in each.</summary>
internal static class StackStates
{
    public static bool IsInProgress(string status) => status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal) && status != "REVIEW_IN_PROGRESS";

    /// <summary>A good state, in which a change can begin.</summary>
    public static bool IsUpdatable(string status) => status is
        "CREATE_COMPLETE" or "UPDATE_COMPLETE" or "UPDATE_ROLLBACK_COMPLETE" or "IMPORT_COMPLETE" or "IMPORT_ROLLBACK_COMPLETE";

    /// <summary>A create that came to nothing: only deletion can follow.</summary>
    public static bool IsFailedCreate(string status) => status is "ROLLBACK_COMPLETE" or "ROLLBACK_FAILED" or "CREATE_FAILED";

    public static bool IsGone(string status) => status == "DELETE_COMPLETE";

    /// <summary>Whether the state is what the operation was to reach.</summary>
    public static bool IsSuccess(OperationKind kind, string status) => kind switch
    {
        OperationKind.Create => status == "CREATE_COMPLETE",
        OperationKind.Update => status == "UPDATE_COMPLETE",
        OperationKind.Delete => status == "DELETE_COMPLETE",
        _ => false,
    };

    /// <summary>Which operation a state in progress belongs to.</summary>
    public static OperationKind? KindOf(string status) => status switch
    {
        "CREATE_IN_PROGRESS" or "ROLLBACK_IN_PROGRESS" or "REVIEW_IN_PROGRESS" or "CREATE_COMPLETE" or "CREATE_FAILED" or "ROLLBACK_COMPLETE" or "ROLLBACK_FAILED" => OperationKind.Create,
        _ when status.StartsWith("UPDATE", StringComparison.Ordinal) || status.StartsWith("IMPORT", StringComparison.Ordinal) => OperationKind.Update,
        _ when status.StartsWith("DELETE", StringComparison.Ordinal) => OperationKind.Delete,
        _ => null,
    };

    /// <summary>What to run next, for each state in which something did not go as wished.</summary>
    public static string Guidance(string name, string status) => status switch
    {
        "REVIEW_IN_PROGRESS" => $"Run New-InferloopEnvironment again to create it, or Remove-InferloopEnvironment {name} to drop the change set.",
        "CREATE_FAILED" or "ROLLBACK_COMPLETE" or "ROLLBACK_FAILED" =>
            $"Correct the cause, then run New-InferloopEnvironment -Resume with the same spec, which clears the remains first; or run Remove-InferloopEnvironment {name}.",
        "ROLLBACK_IN_PROGRESS" => $"Wait with Wait-InferloopEnvironment {name}, then run New-InferloopEnvironment -Resume or Remove-InferloopEnvironment {name}.",
        "UPDATE_ROLLBACK_COMPLETE" => $"The environment is as it was before. Correct the cause and run Set-InferloopEnvironment {name} again.",
        "IMPORT_ROLLBACK_FAILED" => $"CloudFormation offers no way on from here: ask AWS Support to bring the stack to rest, or run Remove-InferloopEnvironment {name}, which keeps stored data.",
        "UPDATE_ROLLBACK_FAILED" => $"Correct the cause that the events name (Get-InferloopEnvironmentEvent {name}), then run Resume-InferloopEnvironment {name}, which continues the rollback; a resource that cannot be brought back is left out with -SkipResource.",
        "UPDATE_FAILED" => $"Run Resume-InferloopEnvironment {name} to roll back, or Set-InferloopEnvironment {name} -Resume to roll back and change it again.",
        "DELETE_FAILED" => $"Correct the cause that the events name (Get-InferloopEnvironmentEvent {name}), then run Remove-InferloopEnvironment {name} again; with -DeleteData where a bucket is not empty.",
        _ when IsInProgress(status) => $"Wait with Wait-InferloopEnvironment {name}.",
        _ => $"Look at Get-InferloopEnvironmentEvent {name}.",
    };
}
