using System.Collections.Concurrent;

namespace Inferloop.Templates;

/// <summary>Nested templates from files: a TemplateURL is a path relative to the template that names it. Each file is read once.</summary>
public sealed class LocalTemplateSource : INestedTemplateSource
{
    private readonly ConcurrentDictionary<string, Template> _templates = new(StringComparer.Ordinal);
    private readonly string? _folder;

    /// <summary>Makes a source.</summary>
    /// <param name="folder">Where relative paths start when the parent template has no file name; by default the current directory.</param>
    public LocalTemplateSource(string? folder = null) => _folder = folder;

    /// <inheritdoc/>
    public async ValueTask<Template> LoadAsync(string templateUrl, Template parent, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(templateUrl);
        ArgumentNullException.ThrowIfNull(parent);
        if (Uri.TryCreate(templateUrl, UriKind.Absolute, out var uri) && !uri.IsFile)
        {
            throw Missing($"The nested template '{templateUrl}' is not a local file.");
        }

        try
        {
            var relative = uri?.LocalPath ?? templateUrl;
            var folder = parent.FileName is { } file && Path.GetDirectoryName(Path.GetFullPath(file)) is { } beside ? beside : _folder ?? Environment.CurrentDirectory;
            var path = Path.GetFullPath(relative, Path.GetFullPath(folder));
            if (_templates.TryGetValue(path, out var known))
            {
                return known;
            }

            var text = await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
            return _templates.GetOrAdd(path, TemplateCache.Parse(text, path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Missing($"The nested template '{templateUrl}' cannot be read: {e.Message}");
        }
    }

    private static TemplateException Missing(string message) => new(new Diagnostic(DiagnosticCodes.NestedTemplate, DiagnosticSeverity.Error, message, null, null));
}
