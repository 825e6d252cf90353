using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <summary>Spec files in any of the three syntaxes.</summary>
internal static class SpecFiles
{
    /// <summary>Reads a file; what is wrong with it comes back as findings.</summary>
    public static async Task<SpecReading> ReadAsync(string path, CancellationToken cancellation)
    {
        string text;
        try
        {
            text = await File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OperationException("SpecFileNotFound", OperationErrorKind.NotFound, $"The spec file '{path}' does not exist.", "Correct the path.", path, e);
        }

        if (RequireFormat(path) != SpecFormat.Psd1)
        {
            return SpecReader.ReadYaml(text, path);
        }

        try
        {
            return SpecReader.Read(DataFileParser.Parse(text), path);
        }
        catch (SpecSyntaxException e)
        {
            return SpecReader.Unreadable(e.Message, e.Position, path);
        }
    }

    /// <summary>Reads a file and fails, naming everything, unless all of it could be read.</summary>
    public static async Task<InferloopEnvironmentSpec> RequireAsync(string path, CancellationToken cancellation)
    {
        var reading = await ReadAsync(path, cancellation).ConfigureAwait(false);
        return reading.Findings.Count == 0 ? reading.Spec : throw SpecErrors.Invalid(path, reading.Findings);
    }

    public static SpecFormat RequireFormat(string path) => SpecFile.FormatOf(path) ?? throw new OperationException(
        "SpecFileFormat", OperationErrorKind.InvalidArgument, $"'{path}' does not say how it is written.", "Name it .yaml, .yml, .json or .psd1.", path);
}
