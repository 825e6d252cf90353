using System.Globalization;
using System.Resources;
using Inferloop.Operations;

namespace Inferloop.PowerShell.Pipeline;

/// <summary>Errors by id: words from Messages.resx, kind from the table here.</summary>
internal static class CodedErrors
{
    private static readonly ResourceManager Texts = new("Inferloop.PowerShell.Messages", typeof(CodedErrors).Assembly);

    private static readonly Dictionary<string, OperationErrorKind> Kinds = new(StringComparer.Ordinal)
    {
        [ErrorIds.PromptNotPossible] = OperationErrorKind.InvalidState,
        [ErrorIds.CredentialNotUnderstood] = OperationErrorKind.InvalidArgument,
        [ErrorIds.SandboxAlreadyRunning] = OperationErrorKind.AlreadyExists,
        [ErrorIds.SandboxPortInUse] = OperationErrorKind.AlreadyExists,
        [ErrorIds.SandboxFolderUnusable] = OperationErrorKind.InvalidState,
        [ErrorIds.SandboxNotRunning] = OperationErrorKind.InvalidState,
        [ErrorIds.SandboxFaultInvalid] = OperationErrorKind.InvalidArgument,
        [ErrorIds.SandboxLoadInvalid] = OperationErrorKind.InvalidArgument,
        [ErrorIds.SandboxFaultNotFound] = OperationErrorKind.NotFound,
        [ErrorIds.FileNotFound] = OperationErrorKind.NotFound,
        [ErrorIds.FileAccessDenied] = OperationErrorKind.PermissionDenied,
        [ErrorIds.ArgumentInvalid] = OperationErrorKind.InvalidArgument,
        [ErrorIds.TemplateInvalid] = OperationErrorKind.InvalidArgument,
        [ErrorIds.UnexpectedFailure] = OperationErrorKind.OperationFailed,
    };

    /// <summary>An error.</summary>
    /// <param name="errorId">One of <see cref="ErrorIds"/>.</param>
    /// <param name="target">What it concerns.</param>
    /// <param name="arguments">Fill the placeholders of message and action.</param>
    public static OperationException Create(string errorId, object? target, params object?[] arguments) => Create(errorId, target, null, arguments);

    /// <summary>An error with the failure behind it.</summary>
    public static OperationException Create(string errorId, object? target, Exception? inner, params object?[] arguments) => new(
        errorId, Kinds[errorId], Format(errorId, arguments), Format(errorId + "_Action", arguments), target, inner);

    private static string Format(string key, object?[] arguments) =>
        string.Format(CultureInfo.InvariantCulture, Texts.GetString(key, CultureInfo.InvariantCulture) ?? throw new MissingManifestResourceException(key), arguments);
}
