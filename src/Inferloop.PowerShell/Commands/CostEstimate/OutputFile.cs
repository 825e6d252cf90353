using Inferloop.Operations;

namespace Inferloop.PowerShell.Commands.CostEstimate;

/// <summary>Files that the cost cmdlets write.</summary>
internal static class OutputFile
{
    /// <summary>Writes a text, unless the file is there and nobody said to overwrite it; null where the user did not want it.</summary>
    public static async Task<FileInfo?> WriteAsync(string path, string text, bool force, Func<string, string, Task<bool>> ask, CancellationToken cancellation)
    {
        if (File.Exists(path) && !force)
        {
            throw new OperationException("OutputFileExists", OperationErrorKind.AlreadyExists, $"The file '{path}' exists already.", "Choose another name, or overwrite it with -Force.", path);
        }

        if (!await ask(path, "Write the file").ConfigureAwait(false))
        {
            return null;
        }

        await File.WriteAllTextAsync(path, text, cancellation).ConfigureAwait(false);
        return new FileInfo(path);
    }
}
