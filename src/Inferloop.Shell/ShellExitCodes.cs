namespace Inferloop.Shell;

/// <summary>The exit codes of pwsh.</summary>
internal static class ShellExitCodes
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>A script or command ended with an error.</summary>
    public const int Failure = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int BadCommandLine = 64;
}
