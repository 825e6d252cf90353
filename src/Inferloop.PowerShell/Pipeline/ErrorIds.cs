namespace Inferloop.PowerShell.Pipeline;

/// <summary>The stable ids of the errors that the cmdlets themselves raise; each is the key of a message and a recommended action in Messages.resx.</summary>
internal static class ErrorIds
{
    /// <summary>A question would have to be asked, and there is no one to ask.</summary>
    public const string PromptNotPossible = nameof(PromptNotPossible);

    /// <summary>AWS or an endpoint did not answer in time.</summary>
    public const string OperationTimedOut = nameof(OperationTimedOut);

    /// <summary>The endpoint cannot be reached.</summary>
    public const string EndpointUnreachable = nameof(EndpointUnreachable);

    /// <summary>A file is missing.</summary>
    public const string FileNotFound = nameof(FileNotFound);

    /// <summary>A file cannot be read or written.</summary>
    public const string FileAccessDenied = nameof(FileAccessDenied);

    /// <summary>An argument was wrong in a way no parameter check sees.</summary>
    public const string ArgumentInvalid = nameof(ArgumentInvalid);

    /// <summary>A template has errors.</summary>
    public const string TemplateInvalid = nameof(TemplateInvalid);

    /// <summary>AWS answered with an error that is not known better.</summary>
    public const string AwsRequestFailed = nameof(AwsRequestFailed);

    /// <summary>A defect of this module.</summary>
    public const string UnexpectedFailure = nameof(UnexpectedFailure);
}
