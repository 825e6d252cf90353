namespace Inferloop.PowerShell.Pipeline;

/// <summary>The CI systems whose log commands the module speaks: warnings and errors show up beside the run, not only in its log.</summary>
internal sealed class ContinuousIntegration
{
    /// <summary>Not a CI run.</summary>
    public static readonly ContinuousIntegration None = new((_, _, _) => "");

    /// <summary>GitHub Actions' workflow commands.</summary>
    public static readonly ContinuousIntegration GitHubActions = new(GitHub);

    /// <summary>Azure DevOps' logging commands.</summary>
    public static readonly ContinuousIntegration AzureDevOps = new(Azure);

    private readonly Func<string, string, string, string> format;

    private ContinuousIntegration(Func<string, string, string, string> format) => this.format = format;

    /// <summary>The one this process runs under, by its documented environment variables.</summary>
    public static ContinuousIntegration Current => Detect(Environment.GetEnvironmentVariable);

    /// <summary>The one that an environment's variables tell of.</summary>
    public static ContinuousIntegration Detect(Func<string, string?> variable) =>
        IsTrue(variable("GITHUB_ACTIONS")) ? GitHubActions : IsTrue(variable("TF_BUILD")) ? AzureDevOps : None;

    /// <summary>The line that makes a warning of the run.</summary>
    public string Warning(string title, string message) => format("warning", title, message);

    /// <summary>The line that makes an error of the run.</summary>
    public string Error(string title, string message) => format("error", title, message);

    private static bool IsTrue(string? value) => string.Equals(value, "true", StringComparison.OrdinalIgnoreCase);

    private static string GitHub(string kind, string title, string message) =>
        $"::{kind} title={Escape(title).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal)}::{Escape(message)}";

    private static string Azure(string kind, string title, string message) =>
        $"##vso[task.logissue type={kind};code={AzureEscape(title).Replace(";", "%3B", StringComparison.Ordinal).Replace("]", "%5D", StringComparison.Ordinal)}]{AzureEscape(message)}";

    private static string AzureEscape(string text) => text
        .Replace("%", "%AZP25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    private static string Escape(string text) => text
        .Replace("%", "%25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);
}
