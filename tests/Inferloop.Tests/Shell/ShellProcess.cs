namespace Inferloop.Tests.Shell;

/// <summary>The built Shell as a process of its own, as a user starts it.</summary>
internal static class ShellProcess
{
    /// <summary>The built program.</summary>
    public static string Path { get; } = System.IO.Path.Combine(
        Repository.Root, "src", "Inferloop.Shell", "bin", Configuration, "net10.0", "Inferloop.Shell.dll");

    /// <summary>Nothing of the caller's AWS settings or CI marks leaks in.</summary>
    public static IReadOnlyDictionary<string, string?> CleanEnvironment { get; } = new Dictionary<string, string?>
    {
        ["AWS_PROFILE"] = null,
        ["AWS_ACCESS_KEY_ID"] = null,
        ["AWS_SECRET_ACCESS_KEY"] = null,
        ["AWS_SESSION_TOKEN"] = null,
        ["AWS_REGION"] = null,
        ["AWS_DEFAULT_REGION"] = null,
        ["AWS_ENDPOINT_URL"] = null,
        ["AWS_EC2_METADATA_DISABLED"] = "true",
        ["GITHUB_ACTIONS"] = null,
        ["TF_BUILD"] = null,
        ["NO_COLOR"] = "1",
    };

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(System.IO.Path.DirectorySeparatorChar)).Parent!.Name;

    /// <summary>Runs it to its end with its input closed.</summary>
    public static Task<ToolResult> RunAsync(IEnumerable<string> arguments, CancellationToken cancellation, IReadOnlyDictionary<string, string?>? environment = null) =>
        ExternalTool.RunAsync("dotnet", [Path, .. arguments], environment ?? CleanEnvironment, cancellation);
}
