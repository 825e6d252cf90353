namespace Inferloop.Operations.Environments;

/// <summary>A cmdlet that meets a stack in some state.</summary>
internal enum EnvironmentCommand
{
    /// <summary>New-InferloopEnvironment.</summary>
    New,

    /// <summary>New-InferloopEnvironment -Resume.</summary>
    NewResume,

    /// <summary>Set-InferloopEnvironment, Import-InferloopResource.</summary>
    Set,

    /// <summary>Set-InferloopEnvironment -Resume.</summary>
    SetResume,

    /// <summary>Resume-InferloopEnvironment.</summary>
    Resume,

    /// <summary>Remove-InferloopEnvironment.</summary>
    Remove,

    /// <summary>Wait-InferloopEnvironment.</summary>
    Wait,

    /// <summary>Get-InferloopDrift.</summary>
    Drift,
}

/// <summary>What a cmdlet does about the state it finds.</summary>
internal enum StateVerdict
{
    /// <summary>Goes on as if nothing were special.</summary>
    Go,

    /// <summary>Follows what runs already.</summary>
    Attach,

    /// <summary>First removes what is left, then goes on.</summary>
    Clear,

    /// <summary>First rolls back what stopped halfway, then goes on.</summary>
    Recover,

    /// <summary>There is nothing to do; says so and succeeds.</summary>
    Nothing,

    /// <summary>Refuses: something runs. EnvironmentBusy.</summary>
    Busy,

    /// <summary>Refuses: the environment exists. EnvironmentExists.</summary>
    Exists,

    /// <summary>Refuses: an earlier create failed. EnvironmentCreateFailedBefore.</summary>
    FailedBefore,

    /// <summary>Refuses: in this state it cannot be done. EnvironmentState, with the command that mends it.</summary>
    State,

    /// <summary>Refuses: there is no such environment. EnvironmentNotFound.</summary>
    Missing,
}

/// <summary>
/// What each cmdlet does in each of CloudFormation's stack states. This table is the whole of it: the operations ask it,
/// the tests go through it cell by cell.
/// </summary>
internal static class StateRules
{
    private static readonly Dictionary<string, StateVerdict[]> Table = Read("""
        state                                        | New          | NewResume | Set   | SetResume | Resume  | Remove | Wait    | Drift
        REVIEW_IN_PROGRESS                           | Clear        | Clear     | State | State     | State   | Go     | Nothing | State
        CREATE_IN_PROGRESS                           | Attach       | Attach    | Busy  | Busy      | Busy    | Go     | Attach  | Busy
        CREATE_COMPLETE                              | Attach       | Attach    | Go    | Go        | Nothing | Go     | Nothing | Go
        CREATE_FAILED                                | FailedBefore | Clear     | State | State     | State   | Go     | Nothing | State
        ROLLBACK_IN_PROGRESS                         | Busy         | Busy      | Busy  | Busy      | Busy    | Busy   | Attach  | Busy
        ROLLBACK_COMPLETE                            | FailedBefore | Clear     | State | State     | State   | Go     | Nothing | State
        ROLLBACK_FAILED                              | FailedBefore | Clear     | State | State     | State   | Go     | Nothing | State
        UPDATE_IN_PROGRESS                           | Busy         | Busy      | Busy  | Busy      | Busy    | Busy   | Attach  | Busy
        UPDATE_COMPLETE_CLEANUP_IN_PROGRESS          | Busy         | Busy      | Busy  | Busy      | Busy    | Busy   | Attach  | Busy
        UPDATE_COMPLETE                              | Exists       | Exists    | Go    | Go        | Nothing | Go     | Nothing | Go
        UPDATE_FAILED                                | Exists       | Exists    | State | Recover   | Recover | Go     | Nothing | State
        UPDATE_ROLLBACK_IN_PROGRESS                  | Busy         | Busy      | Busy  | Busy      | Busy    | Busy   | Attach  | Busy
        UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS | Busy         | Busy      | Busy  | Busy      | Busy    | Busy   | Attach  | Busy
        UPDATE_ROLLBACK_COMPLETE                     | Exists       | Exists    | Go    | Go        | Nothing | Go     | Nothing | Go
        UPDATE_ROLLBACK_FAILED                       | Exists       | Exists    | State | Recover   | Recover | Go     | Nothing | Go
        IMPORT_IN_PROGRESS                           | Busy         | Busy      | Busy  | Busy      | Busy    | Busy   | Attach  | Busy
        IMPORT_COMPLETE                              | Exists       | Exists    | Go    | Go        | Nothing | Go     | Nothing | Go
        IMPORT_ROLLBACK_IN_PROGRESS                  | Busy         | Busy      | Busy  | Busy      | Busy    | Busy   | Attach  | Busy
        IMPORT_ROLLBACK_COMPLETE                     | Exists       | Exists    | Go    | Go        | Nothing | Go     | Nothing | Go
        IMPORT_ROLLBACK_FAILED                       | Exists       | Exists    | State | State     | State   | Go     | Nothing | State
        DELETE_IN_PROGRESS                           | Busy         | Busy      | Busy  | Busy      | Busy    | Attach | Attach  | Busy
        DELETE_FAILED                                | State        | State     | State | State     | State   | Go     | Nothing | State
        DELETE_COMPLETE                              | Go           | Go        | Missing | Missing | Missing | Missing | Nothing | Missing
        """);

    /// <summary>Every state of the table, in the order in which a stack's life goes through them.</summary>
    public static IReadOnlyList<string> States { get; } = [.. Table.Keys];

    /// <summary>What the cmdlet does. A state that CloudFormation may get one day is refused, never guessed at.</summary>
    public static StateVerdict For(EnvironmentCommand command, string status) =>
        Table.TryGetValue(status, out var row) ? row[(int)command] : StackStates.IsInProgress(status) ? StateVerdict.Busy : StateVerdict.State;

    /// <summary>The refusal that the table asks for; null where the cmdlet goes on.</summary>
    public static OperationException? Refusal(EnvironmentCommand command, string name, string region, string status) => For(command, status) switch
    {
        StateVerdict.Busy => new OperationException(
            "EnvironmentBusy", OperationErrorKind.Busy, $"The environment '{name}' is {status}.", StackStates.Guidance(name, status), name),
        StateVerdict.Exists => new OperationException(
            "EnvironmentExists", OperationErrorKind.AlreadyExists, $"The environment '{name}' exists already in {region}; its stack is {status}.",
            StackStates.IsUpdatable(status) ? $"Change it with Set-InferloopEnvironment {name}, or choose another name." : StackStates.Guidance(name, status), name),
        StateVerdict.FailedBefore => new OperationException(
            "EnvironmentCreateFailedBefore", OperationErrorKind.InvalidState, $"An earlier create of '{name}' failed; its stack is {status}.", StackStates.Guidance(name, status), name),
        StateVerdict.State => new OperationException(
            "EnvironmentState", OperationErrorKind.InvalidState, $"The environment '{name}' is {status}.", StackStates.Guidance(name, status), name),
        StateVerdict.Missing => EnvironmentOperations.NotFound(name, region),
        _ => null,
    };

    private static Dictionary<string, StateVerdict[]> Read(string text) => text.Split('\n').Skip(1)
        .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
        .ToDictionary(cells => cells[0], cells => cells.Skip(1).Select(Enum.Parse<StateVerdict>).ToArray(), StringComparer.Ordinal);
}
