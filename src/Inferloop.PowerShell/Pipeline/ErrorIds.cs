namespace Inferloop.PowerShell.Pipeline;

/// <summary>The stable ids of the errors that the cmdlets themselves raise; each is the key of a message and a recommended action in Messages.resx.</summary>
internal static class ErrorIds
{
    /// <summary>A question would have to be asked, and there is no one to ask.</summary>
    public const string PromptNotPossible = nameof(PromptNotPossible);

    /// <summary>The value of -Credential is nothing that credentials can be read from.</summary>
    public const string CredentialNotUnderstood = nameof(CredentialNotUnderstood);

    /// <summary>A sandbox of other settings is running already.</summary>
    public const string SandboxAlreadyRunning = nameof(SandboxAlreadyRunning);

    /// <summary>The port is taken.</summary>
    public const string SandboxPortInUse = nameof(SandboxPortInUse);

    /// <summary>The folder that should keep a sandbox is in use by another, or cannot be read or written.</summary>
    public const string SandboxFolderUnusable = nameof(SandboxFolderUnusable);

    /// <summary>No sandbox runs in this session, or the one given was stopped.</summary>
    public const string SandboxNotRunning = nameof(SandboxNotRunning);

    /// <summary>A fault that cannot be.</summary>
    public const string SandboxFaultInvalid = nameof(SandboxFaultInvalid);

    /// <summary>A load that cannot be.</summary>
    public const string SandboxLoadInvalid = nameof(SandboxLoadInvalid);

    /// <summary>The sandbox has no such fault.</summary>
    public const string SandboxFaultNotFound = nameof(SandboxFaultNotFound);

    /// <summary>A file is missing.</summary>
    public const string FileNotFound = nameof(FileNotFound);

    /// <summary>A file cannot be read or written.</summary>
    public const string FileAccessDenied = nameof(FileAccessDenied);

    /// <summary>An argument was wrong in a way no parameter check sees.</summary>
    public const string ArgumentInvalid = nameof(ArgumentInvalid);

    /// <summary>A template has errors.</summary>
    public const string TemplateInvalid = nameof(TemplateInvalid);

    /// <summary>A defect of this module.</summary>
    public const string UnexpectedFailure = nameof(UnexpectedFailure);
}
