using System.Collections.Concurrent;

namespace Inferloop.Templates;

/// <summary>
/// Files that were read before, as templates. Reading YAML is most of the time of an evaluation, and a session evaluates the same files again and again.
/// A file is known again by its whole text, so what was changed is always seen; templates cannot be changed, so one serves many.
/// </summary>
internal static class TemplateCache
{
    // The shipped tree has 20 files of a quarter of a megabyte in all; much more than some such trees is no longer kept.
    private const int MostCharacters = 16_000_000;
    private static readonly ConcurrentDictionary<string, Template> s_templates = new(StringComparer.Ordinal);
    private static int s_characters;

    /// <summary>The template that a file's text is.</summary>
    /// <param name="text">The text.</param>
    /// <param name="fileName">The file's name, as locations in messages have it.</param>
    /// <exception cref="TemplateException">It cannot be read as a template. That is not kept.</exception>
    public static Template Parse(string text, string fileName)
    {
        if (s_templates.TryGetValue(fileName, out var known) && known.Text == text)
        {
            return known;
        }

        var template = Template.Parse(text, fileName);
        if (Interlocked.Add(ref s_characters, text.Length) > MostCharacters)
        {
            s_templates.Clear();
            Interlocked.Exchange(ref s_characters, text.Length);
        }

        s_templates[fileName] = template;
        return template;
    }
}
